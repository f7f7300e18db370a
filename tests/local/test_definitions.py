"""Definitions that are refused, and how that is said."""

import json
from typing import Any

import pytest

from tests.account import ROLE, unique
from tests.local.helpers import PASS, Activity, refused

PREFIX = "Invalid State Machine Definition: '"


def _pass(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", **fields}}}


BROKEN = {
    "no JSON": ("nonsense", "INVALID_JSON_DESCRIPTION: "),
    "no object": ("[]", "INVALID_JSON_DESCRIPTION: "),
    "too deep": ("[" * 100_000, "INVALID_JSON_DESCRIPTION: "),
    "no states": ({"StartAt": "A"}, "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'"),
    "nothing": ({}, "SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt, States] at /'"),
    "states of another type": (
        {"StartAt": "A", "States": ["A"]},
        "SCHEMA_VALIDATION_FAILED: must be an object of states",
    ),
    "start of nothing": (
        {**_pass(End=True), "StartAt": "B"},
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt'",
    ),
    "next of nothing": (
        _pass(Next="B"),
        (
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next, "
            "MISSING_END_STATE: Workflow has no terminal state at null'"
        ),
    ),
    "unknown type": (_pass() | {"States": {"A": {"Type": "Nonsense", "End": True}}}, "SCHEMA_VALIDATION_FAILED: "),
    "unknown resource": (
        {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "nonsense", "End": True}}},
        "SCHEMA_VALIDATION_FAILED: Value is not a valid resource ARN at /States/A/Resource'",
    ),
    "no end": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}},
        "MISSING_END_STATE: Workflow has no terminal state at null'",
    ),
    "no end, and a state that is not reachable": (
        {
            "StartAt": "A",
            "States": {name: {"Type": "Pass", "Next": following} for name, following in ("AB", "BA", "CA")},
        },
        "MISSING_END_STATE: Workflow has no terminal state at null'",
    ),
    "an end that is not reachable": (
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Next": "B"},
                "B": {"Type": "Pass", "Next": "A"},
                "C": {"Type": "Succeed"},
            },
        },
        'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C\'',
    ),
    "the same name twice": (
        {
            "StartAt": "P",
            "States": {"P": {"Type": "Parallel", "End": True, "Branches": [_pass(End=True), _pass(End=True)]}},
        },
        "DUPLICATE_STATE_NAME: Duplicate State name: A at /States/P/Branches[1]/States/A'",
    ),
    "no path": (
        _pass(OutputPath="x", End=True),
        "SCHEMA_VALIDATION_FAILED: Value must be a valid JSONPath. at /States/A/Out",
    ),
    "no path in a template": (
        _pass(Parameters={"a": {"b.$": "x"}}, End=True),
        (
            "SCHEMA_VALIDATION_FAILED: The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic "
            "function call at /States/A/Parameters/a'"
        ),
    ),
    "no reference path": (
        _pass(ResultPath="$.a[*]", End=True),
        "SCHEMA_VALIDATION_FAILED: Value is not a Reference Path: ",
    ),
    "unreachable": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}, "C": {"Type": "Succeed"}}},
        'MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C\'',
    ),
    "field of other states": (
        _pass(TimeoutSeconds=5, Catch=[], End=True),
        (
            "SCHEMA_VALIDATION_FAILED: Field 'TimeoutSeconds' is not supported at /States/A, "
            "SCHEMA_VALIDATION_FAILED: Field 'Catch' is not supported at /States/A'"
        ),
    ),
    "field of JSONata": (
        _pass(Output=5, End=True),
        (
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported "
            "for the 'JSONata' QueryLanguage at /States/A'"
        ),
    ),
    "back to JSONPath": (
        {"QueryLanguage": "JSONata", **_pass(QueryLanguage="JSONPath", End=True)},
        (
            "SCHEMA_VALIDATION_FAILED: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state "
            "machine at /States/A'"
        ),
    ),
    "bare name in JSONata": (
        {"QueryLanguage": "JSONata", **_pass(Output="{% phone %}", End=True)},
        "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at /States/A/Output'",
    ),
    "no JSONata": (
        {"QueryLanguage": "JSONata", **_pass(Output="{% 1 + %}", End=True)},
        "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output'",
    ),
    "no JSONata in brackets": (
        {"QueryLanguage": "JSONata", **_pass(Output={"a": ["{% $x[1,2) %}"]}, End=True)},
        'INVALID_JSONATA_EXPRESSION: Expected "]", got "," at /States/A/Output/a[0]\'',
    ),
    "a symbol of JSONata that stands alone": (
        {"QueryLanguage": "JSONata", **_pass(Output='{% {"a":} %}', End=True)},
        'INVALID_JSONATA_EXPRESSION: The symbol "}" cannot be used as a unary operator at /States/A/Output\'',
    ),
    "a comment without an end": (
        {"QueryLanguage": "JSONata", **_pass(Output="{% /* %}", End=True)},
        "INVALID_JSONATA_EXPRESSION: Comment has no closing tag at /States/A/Output'",
    ),
    "an escape that there is not": (
        {"QueryLanguage": "JSONata", **_pass(Output='{% "\\x" %}', End=True)},
        'INVALID_JSONATA_EXPRESSION: Unsupported escape sequence: \\"x" at /States/A/Output\'',
    ),
    "inside of a branch": (
        {"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": True, "Branches": [_pass(Next="B")]}}},
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/P/Branches[0]/States/A/Next",
    ),
    "inside of a map": (
        {"StartAt": "M", "States": {"M": {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "A"}}}},
        "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /States/M/ItemProcessor'",
    ),
}


LABEL = {"Type": "Map", "ItemProcessor": {**PASS, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}}
NAMED = {
    "a name of a state": (
        {"StartAt": "A" * 81, "States": {"A" * 81: {"Type": "Pass", "End": True}}},
        ("INVALID_STATE_NAME", f"/States/{'A' * 81}"),
    ),
    "a label": (
        {"StartAt": "A", "States": {"A": {**LABEL, "Label": "a b", "End": True}}},
        ("INVALID_LABEL_NAME", "/States/A/Label"),
    ),
    "the same label twice": (
        {
            "StartAt": "A",
            "States": {"A": {**LABEL, "Label": "l", "Next": "B"}, "B": {**LABEL, "Label": "l", "End": True}},
        },
        ("DUPLICATE_LABEL_NAME", "/States/B/Label"),
    ),
}


@pytest.mark.parametrize(("definition", "told"), NAMED.values(), ids=NAMED)
async def test_names_have_codes_of_their_own(client: Any, definition: dict[str, Any], told: tuple[str, str]):
    checked = await client.validate_state_machine_definition(definition=json.dumps(definition))
    assert told in {(one["code"], one["location"]) for one in checked["diagnostics"]}


WARNINGS = {
    "a path in a template": (_pass(Parameters={"x": "$.a"}, End=True), ("NO_DOLLAR", "/States/A/Parameters/x")),
    "a call in a template": (
        _pass(Assign={"x": "States.UUID()"}, End=True),
        ("NO_DOLLAR", "/States/A/Assign/x"),
    ),
    "a path that a Choice compares with": (
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "StringEquals": "$.y", "Next": "B"}]},
                "B": {"Type": "Succeed"},
            },
        },
        ("NO_PATH", "/States/A/Choices[0]/StringEquals"),
    ),
    "a path that a rule assigns": (
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "IsNull": True, "Assign": {"x": "$.y"}, "Next": "B"}],
                },
                "B": {"Type": "Succeed"},
            },
        },
        ("NO_DOLLAR", "/States/A/Choices[0]/Assign/x"),
    ),
    "a path as a result": (_pass(Result=["$.a"], End=True), ("PASS_RESULT_IS_STATIC", "/States/A/Result[0]")),
    "a computed key of a result": (
        _pass(Result={"x.$": "$.a"}, End=True),
        ("PASS_RESULT_IS_STATIC", "/States/A/Result/x.$"),
    ),
    "a warning that only we know": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": False, "Next": "B"}, "B": {"Type": "Succeed"}}},
        ("NO_EFFECT", "/States/A/End"),
    ),
}


@pytest.mark.parametrize(("definition", "told"), WARNINGS.values(), ids=WARNINGS)
async def test_warnings_have_the_codes_of_aws(client: Any, definition: dict[str, Any], told: tuple[str, str]):
    text = json.dumps(definition)
    checked = await client.validate_state_machine_definition(definition=text, severity="WARNING")
    assert checked["result"] == "OK"
    assert told in {(one["code"], one["location"]) for one in checked["diagnostics"] if one["severity"] == "WARNING"}
    assert (await client.validate_state_machine_definition(definition=text))["diagnostics"] == []


@pytest.mark.parametrize(("definition", "message"), BROKEN.values(), ids=BROKEN)
async def test_broken(client: Any, definition: Any, message: str):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    async with refused("InvalidDefinition") as error:
        await client.create_state_machine(name=unique("broken"), definition=text, roleArn=ROLE)
    assert PREFIX + message in str(error.value)
    checked = await client.validate_state_machine_definition(definition=text)
    assert checked["result"] == "FAIL"
    assert checked["diagnostics"][0]["severity"] == "ERROR"
    assert checked["diagnostics"][0]["code"] == message.partition(":")[0]


async def test_a_broken_definition_leaves_nothing_behind(client: Any):
    """A definition in JSONata that fails to parse must not make the next one JSONata."""
    for _ in range(3):
        async with refused("InvalidDefinition"):
            broken = {"QueryLanguage": "JSONata", **_pass(QueryLanguage="JSONPath", End=True)}
            await client.create_state_machine(name=unique("broken"), definition=json.dumps(broken), roleArn=ROLE)
        fine = _pass(InputPath="$.x", End=True)
        await client.create_state_machine(name=unique("fine"), definition=json.dumps(fine), roleArn=ROLE)


async def test_what_express_cannot_hold(client: Any, activity: Activity):
    for resource, complaint in (
        (activity.arn, "Activity ARN"),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "'.waitForTaskToken' service integration"),
        ("arn:aws:states:::states:startExecution.sync:2", "'.sync' service integration"),
    ):
        definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}}
        async with refused("InvalidDefinition") as error:
            await client.create_state_machine(
                name=unique("express"), definition=json.dumps(definition), roleArn=ROLE, type="EXPRESS"
            )
        why = f"SCHEMA_VALIDATION_FAILED: Express state machine does not support {complaint} at /States/A/Resource'"
        assert PREFIX + why in str(error.value)


async def test_validation_finds_nothing_wrong(client: Any):
    checked = await client.validate_state_machine_definition(definition=json.dumps(PASS))
    assert (checked["result"], checked["diagnostics"]) == ("OK", [])
