"""What executions say of fields that cannot be evaluated, in AWS's words."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.account import ROLE, Account
from tests.local.helpers import Activity, connect
from workers.local import LocalStepFunctions

GIVEN: dict[str, Any] = {
    "zero": 0,
    "less": -1,
    "part": 1.5,
    "digits": "2",
    "text": "x",
    "many": 150,
    "nothing": None,
    "items": [1, 2],
    "inner": {"a": 1},
    "big": "x" * 200_000,
}
RUNTIME, QUERY = "States.Runtime", "States.QueryEvaluationError"
LARGE = "arn:aws:lambda:us-east-1:123456789012:function:large"
SFN = "arn:aws:states:::aws-sdk:sfn:listActivities"


def one(**state: Any) -> dict[str, Any]:
    """A machine of one state, S."""
    return {"StartAt": "S", "States": {"S": state if state["Type"] == "Fail" else {**state, "End": True}}}


def jsonata(**state: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **one(**state)}


def each(mode: str = "INLINE", **fields: Any) -> dict[str, Any]:
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    same = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    return {"Type": "Map", "ItemProcessor": {**same, "ProcessorConfig": config}, **fields}


def calls(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": SFN, **fields}


def bad(field: str, expression: str, why: str) -> str:
    return f"The JSONata expression '{expression}' specified for the field '{field}' {why}"


NO_TIMESTAMP = "does not reference a valid ISO-8601 extended offset date-time format string"
NO_RESOURCE = "The value is not a valid resource ARN, or the resource is not available in this region."
FAILURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "seconds missing": (
        one(Type="Wait", SecondsPath="$.no"),
        RUNTIME,
        "The SecondsPath parameter does not reference an input value: $.no",
    ),
    "seconds negative": (
        one(Type="Wait", SecondsPath="$.less"),
        RUNTIME,
        "The SecondsPath parameter references a negative value: $.less == -1",
    ),
    "moment missing": (
        one(Type="Wait", TimestampPath="$.no"),
        RUNTIME,
        "The TimestampPath parameter does not reference an input value: $.no",
    ),
    "moment of an expression": (
        jsonata(Type="Wait", Timestamp="{% $states.input.text %}"),
        QUERY,
        f"The Timestamp parameter {NO_TIMESTAMP}: $states.input.text == x",
    ),
    "unknown integration": (
        one(Type="Task", Resource="arn:aws:states:::sns:eat"),
        RUNTIME,
        f"The resource provided arn:aws:states:::sns:eat is not recognized. {NO_RESOURCE}",
    ),
    "timeout missing": (
        one(**calls(TimeoutSecondsPath="$.inner.b")),
        RUNTIME,
        "Invalid path '$.inner.b' : No results for path: $['inner']['b']",
    ),
    "heartbeat missing": (
        one(**calls(HeartbeatSecondsPath="$.no.b")),
        RUNTIME,
        "Invalid path '$.no.b' : Missing property in path $['no']",
    ),
    "path into a text": (
        one(Type="Pass", InputPath="$.text.b"),
        RUNTIME,
        "Invalid path '$.text.b' : Property ['b'] not found in path $['text']",
    ),
    "concurrency negative": (
        one(**each(ItemsPath="$.items", MaxConcurrencyPath="$.less")),
        RUNTIME,
        "Expected non-negative integer for MaxConcurrency, got '-1' instead.",
    ),
    "concurrency a part": (
        one(**each(ItemsPath="$.items", MaxConcurrencyPath="$.part")),
        RUNTIME,
        'The MaxConcurrencyPath field refers to value "1.5" which is not a valid integer: $.part',
    ),
    "tolerance negative": (
        one(**each("DISTRIBUTED", ItemsPath="$.items", ToleratedFailureCountPath="$.less")),
        RUNTIME,
        "ToleratedFailureCount cannot be negative.",
    ),
    "percentage too high": (
        one(**each("DISTRIBUTED", ItemsPath="$.items", ToleratedFailurePercentagePath="$.many")),
        RUNTIME,
        "ToleratedFailurePercentage must be between 0 and 100.",
    ),
    "percentage a text": (
        one(**each("DISTRIBUTED", ItemsPath="$.items", ToleratedFailurePercentagePath="$.text")),
        RUNTIME,
        'The ToleratedFailurePercentagePath field refers to value "x" which is not a valid float: $.text',
    ),
    "concurrency of an expression": (
        jsonata(**each(Items=[1], MaxConcurrency="{% -1 %}")),
        QUERY,
        (
            "The JSONata expression for the field 'MaxConcurrency' Expected an integer in range between 0 and "
            "9007199254740992, but was: -1"
        ),
    ),
    "timeout of an expression": (
        jsonata(**calls(TimeoutSeconds="{% 0 %}")),
        QUERY,
        (
            "The JSONata expression for the field 'TimeoutSeconds' Expected an integer in range "
            "between 1 and 99999999, but was: 0"
        ),
    ),
    "seconds are a text": (
        jsonata(Type="Wait", Seconds="{% $states.input.text %}"),
        QUERY,
        bad("Seconds", "$states.input.text", "returned an unexpected result type. Expected 'number', but was 'string' ")
        + 'for value: "x"',
    ),
    "a moment is a number": (
        jsonata(Type="Wait", Timestamp="{% 5 %}"),
        QUERY,
        bad("Timestamp", "5", "returned an unexpected result type. Expected 'string', but was 'number' for value: 5"),
    ),
    "items are no list": (
        jsonata(**each(Items="{% $states.input.inner %}")),
        QUERY,
        bad("Items", "$states.input.inner", "returned an unexpected result type. Expected 'array', but was 'object' ")
        + 'for value: {"a":1}',
    ),
    "items are a function": (
        jsonata(**each(Items="{% $sum %}")),
        QUERY,
        "The JSONata expression '$sum' for the field 'Items' returned an unsupported result type.",
    ),
    "no result": (
        jsonata(Type="Pass", Output="{% $states.result %}"),
        QUERY,
        bad("Output", "$states.result", "returned nothing (undefined)."),
    ),
    "a function that AWS does not have": (
        jsonata(Type="Pass", Output={"a": "{% $eval('1') %}"}),
        QUERY,
        bad("Output/a", "$eval('1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
    ),
    "dividing by nothing": (
        jsonata(Type="Pass", Output={"a": ["{% 1/0 + 1 %}"]}),
        QUERY,
        bad("Output/a[0]", "1/0 + 1", "threw an error during evaluation. D1001: Number out of range: Infinity"),
    ),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_is_told_in_the_words_of_aws(account: Account, case: str):
    machine, error, cause = FAILURES[case]
    found = await account.failure(machine, GIVEN)
    where = "An error occurred while executing the state 'S' (entered at the event id #2). "
    assert found == (error, {"text": where + cause})


async def test_digits_in_a_text_are_a_number(account: Account):
    machine = one(**each(ItemsPath="$.items", MaxConcurrencyPath="$.digits"))
    assert await account.output(machine, GIVEN) == [1, 2]


async def test_variables_have_a_limit(account: Account):
    machine = one(Type="Pass", Assign={"a.$": "$.big", "b.$": "$.big"})
    error, cause = await account.failure(machine, GIVEN)
    assert error == "States.DataLimitExceeded"
    assert "'S'" in cause["text"]


@pytest.fixture
async def own() -> AsyncIterator[Account]:
    """An engine with a Lambda function that gives too much."""
    async with LocalStepFunctions(functions={"large": lambda _: "x" * 300_000}) as local, connect(local) as client:
        yield Account(client)


async def test_all_variables_together_have_a_limit(own: Account):
    assign = [{"Type": "Pass", "Assign": {f"v{n}.$": "$.big", "w.$": "$.big"}, "Next": f"S{n + 1}"} for n in range(90)]
    states = {f"S{n}": state for n, state in enumerate(assign)} | {"S90": {"Type": "Pass", "End": True}}
    execution = await own.start({"StartAt": "S0", "States": states}, {"big": "x" * 120_000})
    ended = await own.ended(execution)
    assert ended["error"] == "States.DataLimitExceeded", ended["status"]
    passed = [event for event in await own.events(execution) if event["type"] == "PassStateExited"]
    assert len(passed) == 10 * 2**20 // 120_002 - 1  # one more is `w`, which each sets again


@pytest.mark.parametrize(
    ("state", "kind", "what"),
    [
        ({"Resource": LARGE}, "LambdaFunctionFailed", LARGE),
        ({"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": LARGE}}, "TaskFailed", "lambda"),
    ],
)
async def test_a_result_that_is_too_large(own: Account, state: dict[str, Any], kind: str, what: str):
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}]}  # does not match it
    execution = await own.start(one(Type="Task", **state, **caught), {})
    ended = await own.ended(execution)
    cause = (
        f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    assert (ended["error"], ended["cause"]) == ("States.DataLimitExceeded", cause)
    assert kind in [event["type"] for event in await own.events(execution)]


@pytest.mark.parametrize("role", [{"RoleArn": ROLE}, {"RoleArn.$": "$.role"}])
async def test_the_role_of_a_task_is_told(account: Account, role: dict[str, str]):
    execution = await account.start(one(**calls(Parameters={}, Credentials=role, ResultPath=None)), {"role": ROLE})
    scheduled = (await account.reached(execution, "TaskScheduled"))["taskScheduledEventDetails"]
    assert scheduled["taskCredentials"] == {"roleArn": ROLE}


async def test_the_role_of_an_activity_is_not_told(engine: LocalStepFunctions, activity: Activity, account: Account):
    """The history has no place for it, and an SDK would hide it."""
    execution = await account.start(activity.machine(Credentials={"RoleArn": ROLE}))
    await account.reached(execution, "ActivityScheduled")
    headers = {"X-Amz-Target": "AWSStepFunctions.GetExecutionHistory", "Content-Type": "application/x-amz-json-1.0"}
    body = {"executionArn": execution}
    async with aiohttp.ClientSession() as session, session.post(engine.url, headers=headers, json=body) as answer:
        events = (await answer.json(content_type=None))["events"]
    details = [event["activityScheduledEventDetails"] for event in events if event["type"] == "ActivityScheduled"]
    assert [one.keys() for one in details] == [{"resource", "input", "inputDetails"}]


async def test_what_ran_beside_a_failure_is_aborted(account: Account):
    waits = [{"StartAt": f"W{n}", "States": {f"W{n}": {"Type": "Wait", "Seconds": 60, "End": True}}} for n in range(3)]
    nested = {"Type": "Parallel", "Branches": [waits[0]], "End": True}
    mapped = {"Type": "Map", "ItemProcessor": waits[1], "ItemsPath": "$.items", "End": True}
    fails = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Wait", "Seconds": 1, "Next": "F"},
            "F": {"Type": "Fail", "Error": "Own"},
        },
    }
    branches = [waits[2], {"StartAt": "P", "States": {"P": nested}}, {"StartAt": "M", "States": {"M": mapped}}, fails]
    execution = await account.start(one(Type="Parallel", Branches=branches), {"items": [1]})
    await account.ended(execution)
    events = await account.events(execution)
    aborted = [event for event in events if "Aborted" in event["type"]]
    assert [event["type"] for event in aborted] == [
        *("WaitStateAborted", "WaitStateAborted", "ParallelStateAborted"),
        *("WaitStateAborted", "MapIterationAborted", "MapStateAborted"),
    ]
    follows = [events[event["previousEventId"] - 1]["type"] for event in aborted]
    assert follows == [
        *("WaitStateEntered", "WaitStateEntered", "ParallelStateStarted"),
        *("WaitStateEntered", "WaitStateEntered", "MapStateStarted"),
    ]
    assert [event["type"] for event in events[-2:]] == ["ParallelStateFailed", "ExecutionFailed"]


async def test_a_map_run_beside_a_failure_is_aborted(account: Account):
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    mapped = each("DISTRIBUTED", ItemsPath="$.items", End=True)
    mapped["ItemProcessor"] |= wait
    fails = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail"}}}
    execution = await account.start(
        one(Type="Parallel", Branches=[{"StartAt": "M", "States": {"M": mapped}}, fails]), {"items": [1]}
    )
    await account.ended(execution)
    types = [event["type"] for event in await account.events(execution)]
    assert types[-4:] == ["MapRunAborted", "MapStateAborted", "ParallelStateFailed", "ExecutionFailed"]
    run = (await account.client.list_map_runs(executionArn=execution))["mapRuns"][0]["mapRunArn"]
    assert (await account.client.describe_map_run(mapRunArn=run))["status"] == "ABORTED"
    children = (await account.client.list_executions(mapRunArn=run))["executions"]
    assert [child["status"] for child in children] == ["ABORTED"]
