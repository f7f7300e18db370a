"""What a task that calls a service needs of IAM.

Source: Step Functions developer guide, "IAM policies for integrated services". What is not listed here is not guessed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workers.arns import is_arn
from workers.machines.registration.grants import Grant, Scope
from workers.machines.registration.literals import literal

ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:[^:]+:function:[^:]+(?P<qualifier>:.+)?")
_INTEGRATION = re.compile(
    r"arn:[^:]+:states:::(?P<service>[\w-]+):(?P<action>[\w:-]+?)(?P<wait>\.sync(:2)?|\.waitForTaskToken)?"
)
_QUEUE_URL = re.compile(r"https?://sqs\.(?P<region>[\w-]+)\.[^/]+/(?P<account>\d+)/(?P<name>.+)")
_EVENTS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")

Payload = Any
"""Parameters or Arguments: an object, or the text of an expression that makes one."""


def grants_of(resource: str, payload: Payload, scope: Scope) -> Iterator[Grant]:
    """What a task with this resource and payload needs. Raises `LookupError` where that is not known."""
    if _FUNCTION.fullmatch(resource):
        yield _invoke(resource)
        return
    found = _INTEGRATION.fullmatch(resource)
    if not found:
        raise LookupError(resource)
    service, action, waits = found["service"], found["action"], (found["wait"] or "").startswith(".sync")
    if service == "aws-sdk":
        yield _sdk(action)
        return
    needs = _NEEDS.get(f"{service}:{action}")
    if needs is None:
        raise LookupError(resource)
    yield from needs(payload, scope, waits)


def _invoke(function: str) -> Grant:
    """A call of a Lambda function; without a qualifier, of each of its versions."""
    found = _FUNCTION.fullmatch(function)
    every = () if found and found["qualifier"] else (f"{function}:*",)
    return Grant(("lambda:InvokeFunction",), (function, *every))


def _sdk(call: str) -> Grant:
    """A call of the AWS SDK integrations: `SERVICE:action`, with the service's name as in the SDK for Java 2."""
    service, _, action = call.partition(":")
    return Grant((f"{_IAM_PREFIXES.get(service, service)}:{action[:1].upper()}{action[1:]}",), ("*",))


_IAM_PREFIXES = {
    "apigatewayv2": "apigateway",
    "bedrockagent": "bedrock",
    "bedrockagentruntime": "bedrock",
    "bedrockruntime": "bedrock",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentity": "cognito-identity",
    "cognitoidentityprovider": "cognito-idp",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "dynamodbstreams": "dynamodb",
    "efs": "elasticfilesystem",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "emrcontainers": "emr-containers",
    "emrserverless": "emr-serverless",
    "eventbridge": "events",
    "iotdataplane": "iot",
    "rdsdata": "rds-data",
    "redshiftdata": "redshift-data",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sagemakerruntime": "sagemaker",
    "sesv2": "ses",
    "sfn": "states",
}
"""Services whose IAM prefix is not their name in the SDK."""


def _managed_rule(scope: Scope, name: str) -> Grant:
    """The rule with which Step Functions hears of the end of a job."""
    return Grant(_EVENTS, (scope.arn("events", f"rule/{name}"),))


def _lambda(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    yield _invoke(scope.named("lambda", "function:", literal(payload, "FunctionName")))


def _sqs(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    found = _QUEUE_URL.fullmatch(literal(payload, "QueueUrl") or "")
    arn = f"arn:{scope.place.partition}:sqs:{found['region']}:{found['account']}:{found['name']}" if found else None
    yield Grant(("sqs:SendMessage",), (scope.named("sqs", "", arn),))


def _sns(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    yield Grant(("sns:Publish",), (scope.named("sns", "", literal(payload, "TopicArn", "TargetArn")),))


def _dynamodb(action: str) -> "Needs":
    def needs(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
        del waits
        yield Grant((f"dynamodb:{action}",), (scope.named("dynamodb", "table/", literal(payload, "TableName")),))

    return needs


def _put_events(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    entries = payload.get("Entries") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        yield Grant(("events:PutEvents",), (scope.arn("events", "event-bus/*"),))
        return
    yield Grant(("events:PutEvents",), tuple(scope.named("events", "event-bus/", _bus(entry)) for entry in entries))


def _bus(entry: Any) -> str | None:
    """The event bus of an entry; None where it is computed."""
    if not isinstance(entry, dict):
        return None
    if "EventBusName" in entry or "EventBusName.$" in entry:
        return literal(entry, "EventBusName")
    return "default"


def _start_execution(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    machine = scope.named("states", "stateMachine:", literal(payload, "StateMachineArn"))
    yield Grant(("states:StartExecution",), (machine,))
    if waits:
        executions = machine.replace(":stateMachine:", ":execution:", 1)
        yield Grant(("states:DescribeExecution", "states:StopExecution"), (f"{executions}:*",))
        yield _managed_rule(scope, "StepFunctionsGetEventsForStepFunctionsExecutionRule")


def _submit_job(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    definition, queue = literal(payload, "JobDefinition"), literal(payload, "JobQueue")
    if definition and not is_arn(definition):
        definition = f"{definition.partition(':')[0]}:*"
    yield Grant(
        ("batch:SubmitJob",),
        (scope.named("batch", "job-definition/", definition), scope.named("batch", "job-queue/", queue)),
    )
    if waits:
        yield Grant(("batch:DescribeJobs", "batch:TerminateJob"), ("*",))
        yield _managed_rule(scope, "StepFunctionsGetEventsForBatchJobsRule")


def _start_job_run(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    watched = ("glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns") if waits else ()
    yield Grant((*watched, "glue:StartJobRun"), (scope.named("glue", "job/", literal(payload, "JobName")),))


def _run_task(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    definition = literal(payload, "TaskDefinition")
    if definition and not is_arn(definition):
        definition = f"{definition.partition(':')[0]}:*"
    yield Grant(("ecs:RunTask",), (scope.named("ecs", "task-definition/", definition),))
    yield Grant(
        ("iam:PassRole",), ("*",), passed_to="ecs-tasks.amazonaws.com"
    )  # its roles stand in the task definition
    if waits:
        yield Grant(("ecs:DescribeTasks", "ecs:StopTask"), ("*",))
        yield _managed_rule(scope, "StepFunctionsGetEventsForECSTaskRule")


def _http(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    authentication = payload.get("Authentication") if isinstance(payload, dict) else None
    connection = scope.named("events", "connection/", literal(authentication, "ConnectionArn"))
    secrets = scope.arn("secretsmanager", "secret:events!connection/*")
    yield Grant(("states:InvokeHTTPEndpoint",), (scope.machine,))
    yield Grant(("events:RetrieveConnectionCredentials",), (connection,))
    yield Grant(("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"), (secrets,))


def _invoke_model(payload: Payload, scope: Scope, waits: bool) -> Iterator[Grant]:
    del waits
    model = literal(payload, "ModelId")
    if not (model and is_arn(model)):
        model = f"arn:{scope.place.partition}:bedrock:{scope.place.region}::foundation-model/{model or '*'}"
    yield Grant(("bedrock:InvokeModel",), (model,))


Needs = Callable[[Payload, Scope, bool], Iterator[Grant]]
_NEEDS: Mapping[str, Needs] = {
    "batch:submitJob": _submit_job,
    "bedrock:invokeModel": _invoke_model,
    "dynamodb:deleteItem": _dynamodb("DeleteItem"),
    "dynamodb:getItem": _dynamodb("GetItem"),
    "dynamodb:putItem": _dynamodb("PutItem"),
    "dynamodb:updateItem": _dynamodb("UpdateItem"),
    "ecs:runTask": _run_task,
    "events:putEvents": _put_events,
    "glue:startJobRun": _start_job_run,
    "http:invoke": _http,
    "lambda:invoke": _lambda,
    "sns:publish": _sns,
    "sqs:sendMessage": _sqs,
    "states:startExecution": _start_execution,
}
