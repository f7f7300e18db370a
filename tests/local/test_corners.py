"""Corners of the language that few machines visit, as AWS documents them or as they were measured there."""

from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import history
from tests.local.test_language import chain

PASS = {"Type": "Pass", "End": True}


def processor(state: dict[str, Any] | None = None, *, distributed: bool = True) -> dict[str, Any]:
    """A processor of one state."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} if distributed else {"Mode": "INLINE"}
    return {"ProcessorConfig": config, "StartAt": "Each", "States": {"Each": state or PASS}}


def jsonata(**states: Any) -> dict[str, Any]:
    """A machine in JSONata of states one after the other."""
    return {"QueryLanguage": "JSONata", **chain(**states)}


PAIRS = [{"Key": "a", "Value": 1}, {"Key": "b", "Value": {"x": 2}}]


async def test_a_distributed_map_goes_over_the_members_of_an_object(account: Account):
    given = {"a": 1, "b": {"x": 2}}
    over = {"Type": "Map", "ItemProcessor": processor()}
    assert await account.output(chain(Over={**over, "ItemsPath": "$.of"}), {"of": given}) == PAIRS
    assert await account.output(jsonata(Over=over), given) == PAIRS
    assert await account.output(jsonata(Over={**over, "Items": given})) == PAIRS
    assert await account.output(jsonata(Over={**over, "Items": "{% $states.input.of %}"}), {"of": given}) == PAIRS


async def test_the_context_object_tells_the_key_of_a_member(account: Account):
    item = "$states.context.Map.Item"
    selector = {name: f"{{% {item}.{name} %}}" for name in ("Index", "Key", "Value", "Source")}
    over = {"Type": "Map", "ItemSelector": selector, "ItemProcessor": processor()}
    found = await account.output(jsonata(Over=over), {"a": 1, "b": 2})
    assert found == [
        {"Index": 0, "Key": "a", "Value": 1, "Source": "STATE_DATA"},
        {"Index": 1, "Key": "b", "Value": 2, "Source": "STATE_DATA"},
    ]


async def test_an_inline_map_goes_over_arrays_only(account: Account):
    over = {"Type": "Map", "Items": {"a": 1}, "ItemProcessor": processor(distributed=False)}
    error, cause = await account.failure(jsonata(Over=over))
    assert error == "States.QueryEvaluationError"
    assert 'must be an array but was: {"a":1}' in cause["text"]


async def test_past_the_end_of_an_array_is_null_in_a_template(account: Account):
    template = {"end.$": "$.items[-1]", "past.$": "$.items[7]", "before.$": "$.items[-3]"}
    assert await account.output(chain(Take={"Type": "Pass", "Parameters": template}), {"items": [1]}) == {
        "end": 1,
        "past": None,
        "before": None,
    }
    error, cause = await account.failure(
        chain(Take={"Type": "Pass", "Parameters": {"x.$": "$.items[7].a"}}), {"items": [1]}
    )
    assert error == "States.Runtime"
    assert "'$.items[7].a' specified for the field 'x.$' could not be found" in cause["text"]


@pytest.mark.parametrize("items", [[], [1]])
async def test_whether_an_array_has_an_item_is_asked_by_its_index(account: Account, items: list[Any]):
    rule = {"Variable": "$.items[0]", "IsPresent": True, "Next": "Some"}
    machine = chain(Ask={"Type": "Choice", "Choices": [rule], "Default": "None"})
    machine["States"] |= {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Some", "None")}
    assert await account.output(machine, {"items": items}) == ("Some" if items else "None")


LOST = {"Type": "Pass", "Parameters": {"x.$": "$.nope"}, "End": True}
ALL = [{"ErrorEquals": ["States.ALL"], "Next": "After"}]


@pytest.mark.parametrize(
    ("around", "events"),
    [
        (
            {"Type": "Parallel", "Branches": [{"StartAt": "Lost", "States": {"Lost": LOST}}], "Catch": ALL},
            ["ParallelStateEntered", "ParallelStateStarted", "PassStateEntered", "ExecutionFailed"],
        ),
        (
            {"Type": "Map", "ItemProcessor": processor(LOST, distributed=False), "Catch": ALL},
            ["MapStateEntered", "MapStateStarted", "MapIterationStarted", "PassStateEntered", "ExecutionFailed"],
        ),
    ],
    ids=["Parallel", "Map"],
)
async def test_a_runtime_error_ends_the_execution_from_within(
    account: Account, around: dict[str, Any], events: list[str]
):
    machine = chain(Around=around, After={"Type": "Pass"})
    ended = await account.run(machine, [1])
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert (await history(account, ended["executionArn"]))[1:] == events


@pytest.mark.parametrize(
    ("value", "output", "assigned"),
    [
        (1, {"kind": "own"}, "own"),
        (2, 2, "unset"),  # what a rule does not say is not said by its state
        (3, "of the state", "of the state"),
    ],
)
async def test_output_and_assign_of_a_choice_are_for_its_default(
    account: Account, value: int, output: Any, assigned: str
):
    own = {"kind": "own"}
    which = {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input = 1 %}", "Next": "Tell", "Output": own, "Assign": own},
            {"Condition": "{% $states.input = 2 %}", "Next": "Tell"},
        ],
        "Default": "Tell",
        "Output": "of the state",
        "Assign": {"kind": "of the state"},
    }
    unset = {"Type": "Pass", "Assign": {"kind": "unset"}}
    tell = {"Type": "Pass", "Output": {"output": "{% $states.input %}", "kind": "{% $kind %}"}}
    machine = jsonata(Set=unset, Which=which, Tell=tell)
    assert await account.output(machine, value) == {"output": output, "kind": assigned}


FAILING = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}
NOTHING = "{% $states.input.nope %}"


@pytest.mark.parametrize(
    ("states", "location"),
    [
        (
            {
                "Choose": {
                    "Type": "Choice",
                    "Choices": [
                        {"Condition": "{% false %}", "Next": "After"},
                        {"Condition": "{% true %}", "Next": "After", "Assign": {"x": [NOTHING]}},
                    ],
                    "Default": "After",
                }
            },
            "Choices[1]/Assign/x[0]",
        ),
        (
            {
                "Choose": {
                    "Type": "Choice",
                    "Choices": [{"Condition": "{% true %}", "Next": "After", "Output": {"x": NOTHING}}],
                    "Default": "After",
                }
            },
            "Choices[0]/Output/x",
        ),
        (
            {
                "Try": {
                    "Type": "Parallel",
                    "Branches": [FAILING],
                    "Catch": [
                        {"ErrorEquals": ["Other"], "Next": "After"},
                        {"ErrorEquals": ["E"], "Next": "After", "Output": NOTHING},
                    ],
                }
            },
            "Catch[1]/Output",
        ),
        (
            {
                "Try": {
                    "Type": "Parallel",
                    "Branches": [FAILING],
                    "Catch": [{"ErrorEquals": ["E"], "Next": "After", "Assign": {"x": NOTHING}}],
                }
            },
            "Catch[0]/Assign/x",
        ),
    ],
    ids=["rule's Assign", "rule's Output", "catcher's Output", "catcher's Assign"],
)
async def test_what_could_not_be_evaluated_is_located(account: Account, states: dict[str, Any], location: str):
    ended = await account.run(jsonata(**states, After={"Type": "Pass"}), {})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")
    events = await account.events(ended["executionArn"])
    details = next(event for event in events if event["type"] == "EvaluationFailed")["evaluationFailedEventDetails"]
    assert details["location"] == location
    assert f"specified for the field '{location}' returned nothing (undefined)." in details["cause"]
