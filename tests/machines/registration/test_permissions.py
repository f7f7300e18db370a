"""What a definition needs of IAM."""

from typing import Any

import pytest

from workers.arns import Place
from workers.errors import UsageError
from workers.machines.model.machine import StateMachine
from workers.machines.registration.permissions import policy

PLACE = Place("aws-cn", "cn-north-1", "111122223333")


def needs(*states: dict[str, Any], **options: Any) -> dict[tuple[str, ...], list[str]]:
    """Resources by actions."""
    made = policy(machine(*states), name="m", place=PLACE, **options)
    return {tuple(one["Action"]): one["Resource"] for one in made["Statement"]} if made else {}


def machine(*states: dict[str, Any]) -> StateMachine:
    named = {f"S{number}": {"Type": "Task", "End": True, **state} for number, state in enumerate(states)}
    return StateMachine.model_validate({"StartAt": "S0", "States": named})


def task(resource: str, parameters: Any = None) -> dict[str, Any]:
    return {"Resource": resource} | ({"Parameters": parameters} if parameters else {})


def arn(service: str, resource: str) -> str:
    return f"arn:aws-cn:{service}:cn-north-1:111122223333:{resource}"


RULE = "rule/StepFunctionsGetEventsFor{}Rule"
EVENTS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


@pytest.mark.parametrize(
    ("resource", "parameters", "expected"),
    [
        (
            arn("lambda", "function:f:3"),
            None,
            {("lambda:InvokeFunction",): [arn("lambda", "function:f:3")]},
        ),
        (
            "arn:aws-cn:states:::lambda:invoke.waitForTaskToken",
            {"FunctionName": "f"},
            {("lambda:InvokeFunction",): [arn("lambda", "function:f"), arn("lambda", "function:f:*")]},
        ),
        (
            "arn:aws-cn:states:::lambda:invoke",
            {"FunctionName.$": "$.f"},
            {("lambda:InvokeFunction",): [arn("lambda", "function:*"), arn("lambda", "function:*:*")]},
        ),
        (
            "arn:aws-cn:states:::sqs:sendMessage",
            {"QueueUrl.$": "$.q"},
            {("sqs:SendMessage",): [arn("sqs", "*")]},
        ),
        (
            "arn:aws-cn:states:::sns:publish",
            {"TopicArn": arn("sns", "t")},
            {("sns:Publish",): [arn("sns", "t")]},
        ),
        (
            "arn:aws-cn:states:::dynamodb:putItem",
            {"TableName": "t"},
            {("dynamodb:PutItem",): [arn("dynamodb", "table/t")]},
        ),
        (
            "arn:aws-cn:states:::events:putEvents",
            {"Entries": [{"Detail": {}}, {"EventBusName": "mine"}]},
            {("events:PutEvents",): [arn("events", "event-bus/default"), arn("events", "event-bus/mine")]},
        ),
        (
            "arn:aws-cn:states:::events:putEvents",
            {"Entries": [{"EventBusName.$": "$.bus"}, "$.entry"]},
            {("events:PutEvents",): [arn("events", "event-bus/*")]},
        ),
        (
            "arn:aws-cn:states:::events:putEvents",
            {"Entries.$": "$.entries"},
            {("events:PutEvents",): [arn("events", "event-bus/*")]},
        ),
        (
            "arn:aws-cn:states:::states:startExecution.sync:2",
            {"StateMachineArn": arn("states", "stateMachine:child")},
            {
                ("states:StartExecution",): [arn("states", "stateMachine:child")],
                ("states:DescribeExecution", "states:StopExecution"): [arn("states", "execution:child:*")],
                EVENTS: [arn("events", RULE.format("StepFunctionsExecution"))],
            },
        ),
        (
            "arn:aws-cn:states:::batch:submitJob.sync",
            {"JobDefinition": "job:3", "JobQueue": "{% $queue %}"},
            {
                ("batch:SubmitJob",): [arn("batch", "job-definition/job:*"), arn("batch", "job-queue/*")],
                ("batch:DescribeJobs", "batch:TerminateJob"): ["*"],
                EVENTS: [arn("events", RULE.format("BatchJobs"))],
            },
        ),
        (
            "arn:aws-cn:states:::glue:startJobRun.sync",
            {"JobName": "j"},
            {("glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"): [arn("glue", "job/j")]},
        ),
        (
            "arn:aws-cn:states:::glue:startJobRun",
            {"JobName": "${Job}"},
            {("glue:StartJobRun",): [arn("glue", "job/*")]},
        ),
        (
            "arn:aws-cn:states:::ecs:runTask.sync",
            {"TaskDefinition": "t:7"},
            {
                ("ecs:RunTask",): [arn("ecs", "task-definition/t:*")],
                ("iam:PassRole",): ["*"],
                ("ecs:DescribeTasks", "ecs:StopTask"): ["*"],
                EVENTS: [arn("events", RULE.format("ECSTask"))],
            },
        ),
        (
            "arn:aws-cn:states:::http:invoke",
            {"Authentication": {"ConnectionArn": arn("events", "connection/c/1")}},
            {
                ("states:InvokeHTTPEndpoint",): [arn("states", "stateMachine:m")],
                ("events:RetrieveConnectionCredentials",): [arn("events", "connection/c/1")],
                ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"): [
                    arn("secretsmanager", "secret:events!connection/*")
                ],
            },
        ),
        (
            "arn:aws-cn:states:::bedrock:invokeModel",
            {"ModelId": "claude"},
            {("bedrock:InvokeModel",): ["arn:aws-cn:bedrock:cn-north-1::foundation-model/claude"]},
        ),
        (
            "arn:aws-cn:states:::aws-sdk:cloudwatchlogs:putLogEvents",
            {"LogGroupName": "x"},
            {("logs:PutLogEvents",): ["*"]},
        ),
        ("arn:aws-cn:states:::aws-sdk:s3:getObject", {"Bucket": "b"}, {("s3:GetObject",): ["*"]}),
        (arn("states", "activity:a"), None, {}),
    ],
)
def test_what_each_integration_needs(resource: str, parameters: Any, expected: dict) -> None:
    assert needs(task(resource, parameters)) == expected


def test_the_role_of_a_task_definition_is_passed_to_tasks_only() -> None:
    made = policy(machine(task("arn:aws-cn:states:::ecs:runTask")), name="m", place=PLACE)
    passing = next(one for one in made["Statement"] if one["Action"] == ["iam:PassRole"])
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_equal_actions_share_a_statement_and_nested_states_count() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Task", "End": True, **task(arn("lambda", "function:g"))}}}
    parallel = {"Type": "Parallel", "Branches": [inner], "End": True}
    found = needs(task(arn("lambda", "function:f")), parallel)
    assert found == {
        ("lambda:InvokeFunction",): [arn("lambda", f"function:{name}") for name in ("f", "f:*", "g", "g:*")]
    }


def test_a_distributed_map_starts_itself_and_reads_and_writes_s3() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Succeed"}},
    }
    big = {
        "Type": "Map",
        "End": True,
        "ItemProcessor": processor,
        "ItemReader": {"Resource": "arn:aws-cn:states:::s3:getObject", "Parameters": {"Bucket": "in", "Key": "a.csv"}},
        "ResultWriter": {
            "Resource": "arn:aws-cn:states:::s3:putObject",
            "Parameters": {"Bucket": "out", "Prefix": "results/"},
        },
    }
    children = [arn("states", "execution:m/*"), arn("states", "execution:m:*")]
    assert needs(big) == {
        ("states:StartExecution",): [arn("states", "stateMachine:m")],
        ("states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"): children,
        ("s3:GetObject",): ["arn:aws-cn:s3:::in/a.csv"],
        ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"): [
            "arn:aws-cn:s3:::out/results/*"
        ],
    }
    listing = big | {
        "ItemReader": {"Resource": "arn:aws-cn:states:::s3:listObjectsV2", "Parameters": {"Bucket": "in"}},
        "ResultWriter": {"WriterConfig": {"Transformation": "COMPACT"}},
    }
    assert needs(listing)[("s3:ListBucket",)] == ["arn:aws-cn:s3:::in"]
    manifest = big | {
        "ItemReader": {"Resource": "arn:aws-cn:states:::s3:getObject", "Parameters": {"Bucket": "in", "Key.$": "$.k"}},
        "ResultWriter": {"Resource": "arn:aws-cn:states:::s3:putObject", "Parameters": {"Bucket.$": "$.b"}},
    }
    assert needs(manifest)[("s3:GetObject",)] == ["arn:aws-cn:s3:::in/*"]


def test_logs_and_traces_need_their_own() -> None:
    succeed = {"Type": "Succeed"}
    assert needs({**succeed}) == {}
    found = needs(succeed, logging=True, tracing=True)
    assert {action.partition(":")[0] for actions in found for action in actions} == {"logs", "xray"}


def test_the_role_of_another_account_may_be_taken() -> None:
    other = task(arn("states", "activity:a")) | {"Credentials": {"RoleArn": "arn:aws-cn:iam::2:role/r"}}
    function = task(arn("lambda", "function:f")) | {"Credentials": {"RoleArn": "arn:aws-cn:iam::2:role/r"}}
    assert needs(other) == {}
    assert needs(function)[("sts:AssumeRole",)] == ["arn:aws-cn:iam::2:role/r"]


def test_what_is_not_known_is_not_guessed() -> None:
    computed = task(arn("lambda", "function:f")) | {"Credentials": {"RoleArn.$": "$.role"}}
    with pytest.raises(UsageError) as refused:
        needs(task("arn:aws-cn:states:::emr-containers:startJobRun.sync"), task("${Function}"), computed)
    message = str(refused.value)
    assert "S0 (arn:aws-cn:states:::emr-containers:startJobRun.sync)" in message
    assert "S1 (${Function})" in message
    assert "S2 (the role in Credentials is computed)" in message
    assert "Give a role of your own" in message
