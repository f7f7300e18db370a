"""Services in whole state machines: what becomes of their answers, and what the history says."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.account import ROLE, Account
from tests.local.helpers import PASS, WAIT, connect, create_machine, refused
from tests.local.integrations.conftest import FUNCTION, FUNCTIONS
from tests.local.test_events import listening
from workers.local import LocalStepFunctions

NEST = "arn:aws:states:::states:startExecution"
FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Inner", "Cause": "why"}}}
DOUBLE = {"StartAt": "It", "States": {"It": {"Type": "Pass", "Parameters": {"twice.$": "$.n"}, "End": True}}}


SUCCEEDED = ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def task(resource: str, parameters: Any = None, **fields: Any) -> dict[str, Any]:
    """A machine of one task of a service."""
    arguments = {} if parameters is None else {"Parameters": parameters}
    state = {"Type": "Task", "Resource": resource, **arguments, "End": True, **fields}
    return {"StartAt": "Do", "States": {"Do": state}}


def details(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The details of the first event of a kind."""
    event = next(event for event in events if event["type"] == kind)
    return next(value for name, value in event.items() if name.endswith("EventDetails"))


@pytest.fixture(scope="module")
def mocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("mocks") / "mocks.json"
    configuration = {
        "StateMachines": {"mocked": {"TestCases": {"Retried": {"Do": "Third time"}}}},
        "MockedResponses": {"Third time": {"0-1": {"Throw": {"Error": "Busy"}}, "2": {"Return": {"done": True}}}},
    }
    file.write_text(json.dumps(configuration))
    return file


@pytest.fixture
async def own(mocks: Path) -> AsyncIterator[Account]:
    """An engine with Lambda functions and mocks, on which no wait takes any time."""
    local = LocalStepFunctions(functions=FUNCTIONS, mocks=mocks, clock="skip")
    async with local, connect(local) as client:
        yield Account(client)


async def test_an_execution_is_started_and_not_waited_for(account: Account):
    machine = await create_machine(account.client, WAIT)
    found = await account.output(task(NEST, {"StateMachineArn": machine, "Input": {"a": 1}}))
    described = await account.client.describe_execution(executionArn=found["ExecutionArn"])
    assert (described["status"], described["input"]) == ("RUNNING", '{"a":1}')
    assert found["StartDate"] == round(described["startDate"].timestamp() * 1000)
    assert found["SdkHttpMetadata"]["HttpStatusCode"] == 200
    await account.client.stop_execution(executionArn=found["ExecutionArn"])


async def test_an_execution_is_waited_for(account: Account):
    machine = await create_machine(account.client, DOUBLE)
    parameters = {"StateMachineArn": machine, "Input.$": "$"}
    execution = await account.start(task(f"{NEST}.sync:2", parameters), {"n": 3})
    found = json.loads((await account.ended(execution))["output"])
    assert (found["Status"], found["Output"], found["Input"]) == ("SUCCEEDED", {"twice": 3}, {"n": 3})
    found = await account.output(task(f"{NEST}.sync", parameters), {"n": 3})
    assert (found["Output"], found["OutputDetails"]) == ('{"twice":3}', {"Included": True})
    events = await account.events(execution)
    assert [event["type"] for event in events][2:-2] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]
    assert details(events, "TaskSubmitted")["resource"] == "startExecution.sync:2"


async def test_an_execution_that_fails_fails_its_caller(account: Account):
    machine = await create_machine(account.client, FAIL)
    error, cause = await account.failure(task(f"{NEST}.sync:2", {"StateMachineArn": machine}))
    assert error == "States.TaskFailed"
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Inner", "why")


async def test_a_caller_that_is_stopped_stops_what_it_waits_for(account: Account):
    machine = await create_machine(account.client, WAIT)
    execution = await account.start(task(f"{NEST}.sync", {"StateMachineArn": machine}))
    submitted = await account.reached(execution, "TaskSubmitted")
    inner = json.loads(submitted["taskSubmittedEventDetails"]["output"])["ExecutionArn"]
    await account.client.stop_execution(executionArn=execution)
    assert (await account.ended(inner))["status"] == "ABORTED"


async def test_a_machine_that_is_not_there(account: Account):
    missing = "arn:aws:states:us-east-1:123456789012:stateMachine:none"
    error, cause = await account.failure(task(NEST, {"StateMachineArn": missing}))
    assert error == "StepFunctions.StateMachineDoesNotExistException"
    assert "Service: AWSStepFunctions; Status Code: 400; Error Code: StateMachineDoesNotExist;" in cause["text"]


@pytest.mark.parametrize(
    ("pattern", "kind"), [("", "TaskFailed"), (".sync", "TaskSubmitFailed"), (".waitForTaskToken", "TaskSubmitFailed")]
)
async def test_a_task_that_cannot_be_submitted(account: Account, pattern: str, kind: str):
    missing = "arn:aws:states:us-east-1:123456789012:stateMachine:none"
    given = {"StateMachineArn": missing, "Input": {"token.$": "$$.Task.Token"}}
    ended = await account.run(task(NEST + pattern, given))
    events = await account.events(ended["executionArn"])
    assert [event["type"] for event in events[2:]] == ["TaskScheduled", "TaskStarted", kind, "ExecutionFailed"]
    called = {"resourceType": "states", "resource": f"startExecution{pattern}"}
    assert details(events, kind) == {**called, "error": ended["error"], "cause": ended["cause"]}
    assert ended["error"] == "StepFunctions.StateMachineDoesNotExistException"


async def test_a_task_that_fails_after_it_was_submitted(account: Account):
    machine = await create_machine(account.client, FAIL)
    ended = await account.run(task(f"{NEST}.sync", {"StateMachineArn": machine}))
    kinds = [event["type"] for event in await account.events(ended["executionArn"])]
    assert kinds[-3:] == ["TaskSubmitted", "TaskFailed", "ExecutionFailed"]


@pytest.mark.parametrize(
    ("resource", "parameters", "why"),
    [
        ("states:startExecution.sync", {"Input": {}}, "The field 'StateMachineArn' is required but was missing"),
        ("sqs:sendMessage", {"MessageBody": "x", "Qu": 1}, "The field 'Qu' is not supported by Step Functions"),
        ("lambda:invoke", {"Payload": 1}, "The field 'FunctionName' is required but was missing"),
        ("aws-sdk:sfn:describeActivity", {"ActivityArn": 5}, "The value for the field 'ActivityArn' must be a STRING"),
        ("aws-sdk:s3:getObject", [], "The value for the field 'Parameters' must be a STRUCTURE"),
        ("http:invoke", {"ApiEndpoint": "https://a", "Method": "GET", "Headers": 1}, "'Headers' must be a MAP"),
    ],
)
async def test_a_task_that_cannot_start(account: Account, resource: str, parameters: Any, why: str):
    """It is not scheduled, and nothing catches it."""
    caught = [{"ErrorEquals": ["States.ALL"], "Next": "Do"}]
    ended = await account.run(task(f"arn:aws:states:::{resource}", Catch=caught), parameters)
    where = "An error occurred while executing the state 'Do' (entered at the event id #2). "
    assert ended["error"] == "States.Runtime"
    assert ended["cause"].startswith(f"{where}The Parameters '{json.dumps(parameters, separators=(',', ':'))}' could")
    assert why in ended["cause"]
    kinds = [event["type"] for event in await account.events(ended["executionArn"])]
    assert kinds == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


async def test_step_functions_by_the_sdk_integration(account: Account):
    machine = await create_machine(account.client, PASS)
    sdk = "arn:aws:states:::aws-sdk:sfn:{}"
    found = await account.output(task(sdk.format("describeStateMachine"), {"StateMachineArn": machine}))
    assert found["StateMachineArn"] == machine
    assert found["CreationDate"].endswith("Z")
    found = await account.output(task(sdk.format("listStateMachines"), {"MaxResults": 1}))
    assert found["StateMachines"][0].keys() >= {"StateMachineArn", "Name", "CreationDate"}


async def test_a_lambda_function(own: Account):
    found = await own.output(task(FUNCTION.format("greet")), {"name": "you"})
    assert found == {"hello": "you", "from": "greet"}
    execution = await own.start(task(FUNCTION.format("refuse"), Retry=[{"ErrorEquals": ["LookupError"]}]), "this")
    assert (await own.ended(execution))["error"] == "LookupError"
    kinds = [event["type"] for event in await own.events(execution)]
    attempt = ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"]
    assert kinds == ["ExecutionStarted", "TaskStateEntered", *attempt * 4, "ExecutionFailed"]
    invoke = task(
        "arn:aws:states:::lambda:invoke", {"FunctionName": "double", "Payload.$": "$.n"}, OutputPath="$.Payload"
    )
    assert await own.output(invoke, {"n": 4}) == 8


async def test_a_test_case_is_chosen_where_an_execution_starts(own: Account):
    send = task(
        "arn:aws:states:::sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "b"}, Retry=[{"ErrorEquals": ["Busy"]}]
    )
    made = await own.client.create_state_machine(
        name="mocked", definition=json.dumps(send), roleArn="arn:aws:iam::1:role/r"
    )
    arn = made["stateMachineArn"]
    started = await own.client.start_execution(stateMachineArn=f"{arn}#Retried")
    ended = await own.ended(started["executionArn"])
    assert (ended["status"], ended["output"], ended["stateMachineArn"]) == ("SUCCEEDED", '{"done":true}', arn)
    kinds = [event["type"] for event in await own.events(started["executionArn"])]
    assert kinds.count("TaskFailed") == 2
    async with refused("ValidationException"):
        await own.client.start_execution(stateMachineArn=f"{arn}#Unknown")


@pytest.mark.parametrize("resource", ["batch:submitJob.sync", "sqs:sendMessage.waitForTaskToken"])
async def test_a_mocked_task_is_submitted_before_what_it_waits_for_ends(own: Account, resource: str):
    given = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    definition = json.dumps(task(f"arn:aws:states:::{resource}", given, Retry=[{"ErrorEquals": ["Busy"]}]))
    made = await own.client.create_state_machine(name="mocked", definition=definition, roleArn=ROLE)
    started = await own.client.start_execution(stateMachineArn=f"{made['stateMachineArn']}#Retried")
    assert (await own.ended(started["executionArn"]))["output"] == '{"done":true}'
    events = await own.events(started["executionArn"])
    submitted = ["TaskScheduled", "TaskStarted", "TaskSubmitted"]
    kinds = [event["type"] for event in events]
    assert kinds[2:-2] == [*[*submitted, "TaskFailed"] * 2, *submitted, "TaskSucceeded"]
    outputs = [event["taskSubmittedEventDetails"]["output"] for event in events if event["type"] == "TaskSubmitted"]
    assert outputs == ["null", "null", '{"done":true}']


async def test_a_test_case_mocks_activities(own: Account):
    activity = "arn:aws:states:us-east-1:123456789012:activity:work"
    await own.client.create_activity(name="work")
    definition = json.dumps(task(activity, Retry=[{"ErrorEquals": ["Busy"]}]))
    made = await own.client.create_state_machine(name="mocked", definition=definition, roleArn=ROLE)
    started = await own.client.start_execution(stateMachineArn=f"{made['stateMachineArn']}#Retried")
    assert (await own.ended(started["executionArn"]))["output"] == '{"done":true}'
    kinds = [event["type"] for event in await own.events(started["executionArn"])]
    assert kinds[2:-2] == [*["ActivityScheduled", "ActivityStarted", "ActivityFailed"] * 2, *SUCCEEDED]


async def test_a_test_case_outlives_the_engine(mocks: Path, tmp_path: Path):
    send = task("arn:aws:states:::sqs:sendMessage", {"QueueUrl": "q"}, Retry=[{"ErrorEquals": ["Busy"]}])["States"]
    wait = {"Wait": {"Type": "Wait", "Seconds": 3_600, "Next": "Do"}}
    definition = json.dumps({"StartAt": "Wait", "States": wait | send})
    async with LocalStepFunctions(data=tmp_path, mocks=mocks) as local, connect(local) as client:
        made = await client.create_state_machine(name="mocked", definition=definition, roleArn=ROLE)
        started = await client.start_execution(stateMachineArn=f"{made['stateMachineArn']}#Retried")
    async with LocalStepFunctions(data=tmp_path, mocks=mocks, clock="skip") as local, connect(local) as client:
        assert (await Account(client).ended(started["executionArn"]))["output"] == '{"done":true}'


async def test_a_queue_hears_of_executions(engine: LocalStepFunctions, account: Account):
    machine = await create_machine(account.client, FAIL)
    async with listening(engine, {"stateMachineArn": [machine]}) as listener:
        started = await account.client.start_execution(stateMachineArn=machine, input='{"a": 1}')
        running, failed = await listener.events(2)
    assert (running["detail"]["status"], failed["detail"]["status"]) == ("RUNNING", "FAILED")
    assert running["detail"]["executionArn"] == started["executionArn"]
    assert running["detail"]["input"] == '{"a": 1}'
    assert (failed["detail"]["error"], failed["detail"]["cause"]) == ("Inner", "why")
    assert failed["detail-type"] == "Step Functions Execution Status Change"


async def test_a_job_is_waited_for(account: Account):
    query = {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://bucket/"}}
    execution = await account.start(task("arn:aws:states:::athena:startQueryExecution.sync", query))
    ended = await account.ended(execution)
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    submitted = details(await account.events(execution), "TaskSubmitted")
    assert json.loads(submitted["output"])["QueryExecutionId"]


@pytest.mark.parametrize("resource", ["sns:publish.sync", "aws-sdk:sfn:startExecution.sync", "sns:eat"])
async def test_what_cannot_be_called_is_not_recognized(account: Account, resource: str):
    error, cause = await account.failure(task(f"arn:aws:states:::{resource}", {"Message": "x", "PhoneNumber": "1"}))
    assert error == "States.Runtime"
    assert "is not recognized" in cause["text"]
