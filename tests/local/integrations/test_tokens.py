"""Task tokens by every way that AWS knows: each is sent through a service, found there, and comes back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import connect, create_machine, history
from tests.local.integrations.test_in_machines import task
from workers.local import LocalStepFunctions

TOKEN = "$$.Task.Token"


class Way:
    """How a token leaves a machine, and where it arrives."""

    def __init__(self, engine: LocalStepFunctions) -> None:
        self.engine = engine
        self.name = unique("token")

    def client(self, service: str) -> Any:
        return connect(self.engine, service)

    async def queue(self) -> tuple[str, str]:
        """The URL and the ARN of a queue."""
        async with self.client("sqs") as sqs:
            url = (await sqs.create_queue(QueueName=self.name))["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:123456789012:{self.name}"

    async def message(self) -> Any:
        async with self.client("sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=self.name))["QueueUrl"]
            while not (found := await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)).get("Messages"):
                pass
        return found["Messages"][0]["Body"]


class Sqs(Way):
    resource = "aws-sdk:sqs:sendMessage"

    async def parameters(self) -> dict[str, Any]:
        url, _ = await self.queue()
        return {"QueueUrl": url, "MessageBody.$": TOKEN}

    async def token(self) -> str:
        return str(await self.message())


class Sns(Way):
    resource = "sns:publish"

    async def parameters(self) -> dict[str, Any]:
        _, queue = await self.queue()
        async with self.client("sns") as sns:
            topic = (await sns.create_topic(Name=self.name))["TopicArn"]
            await sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        return {"TopicArn": topic, "Message": {"token.$": TOKEN}}

    async def token(self) -> str:
        return str(json.loads(json.loads(await self.message())["Message"])["token"])


class EventBridge(Way):
    resource = "events:putEvents"

    async def parameters(self) -> dict[str, Any]:
        _, queue = await self.queue()
        async with self.client("events") as events:
            await events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [self.name]}))
            await events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": queue}])
        return {"Entries": [{"Source": self.name, "DetailType": "Token", "Detail": {"token.$": TOKEN}}]}

    async def token(self) -> str:
        return str(json.loads(await self.message())["detail"]["token"])


class DynamoDb(Way):
    resource = "aws-sdk:dynamodb:putItem"

    async def parameters(self) -> dict[str, Any]:
        async with self.client("dynamodb") as dynamodb:
            await dynamodb.create_table(
                TableName=self.name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        return {"TableName": self.name, "Item": {"id": {"S": "1"}, "token": {"S.$": TOKEN}}}

    async def token(self) -> str:
        async with self.client("dynamodb") as dynamodb:
            return str((await dynamodb.get_item(TableName=self.name, Key={"id": {"S": "1"}}))["Item"]["token"]["S"])


class S3(Way):
    resource = "aws-sdk:s3:putObject"

    async def parameters(self) -> dict[str, Any]:
        async with self.client("s3") as s3:
            await s3.create_bucket(Bucket=self.name)
        return {"Bucket": self.name, "Key": "token", "Body.$": TOKEN}

    async def token(self) -> str:
        async with self.client("s3") as s3:
            found = await s3.get_object(Bucket=self.name, Key="token")
            return str((await found["Body"].read()).decode())


class Ecs(Way):
    resource = "ecs:runTask"

    async def parameters(self) -> dict[str, Any]:
        async with self.client("ecs") as ecs:
            await ecs.create_cluster(clusterName=self.name)
            container = {"name": "main", "image": "busybox", "memory": 64}
            await ecs.register_task_definition(family=self.name, containerDefinitions=[container])
        environment = [{"Name": "TOKEN", "Value.$": TOKEN}]
        network = {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}}
        return {
            "Cluster": self.name,
            "TaskDefinition": self.name,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": network,
            "Overrides": {"ContainerOverrides": [{"Name": "main", "Environment": environment}]},
        }

    async def token(self) -> str:
        async with self.client("ecs") as ecs:
            listed = await ecs.list_tasks(cluster=self.name)
            (found,) = (await ecs.describe_tasks(cluster=self.name, tasks=listed["taskArns"]))["tasks"]
        return str(found["overrides"]["containerOverrides"][0]["environment"][0]["value"])


WAYS: list[Callable[[LocalStepFunctions], Any]] = [Sqs, Sns, EventBridge, DynamoDb, S3, Ecs]


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_comes_back(engine: LocalStepFunctions, account: Account, way: Any):
    chosen = way(engine)
    resource = f"arn:aws:states:::{chosen.resource}.waitForTaskToken"
    execution = await account.start(task(resource, await chosen.parameters()))
    submitted = (await account.reached(execution, "TaskSubmitted"))["taskSubmittedEventDetails"]
    assert submitted["resource"] == f"{chosen.resource.rpartition(':')[2]}.waitForTaskToken"
    token = await chosen.token()
    await account.client.send_task_heartbeat(taskToken=token)
    await account.client.send_task_success(taskToken=token, output='{"came": "back"}')
    assert json.loads((await account.ended(execution))["output"]) == {"came": "back"}
    kinds = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert (await history(account, execution))[2:-2] == kinds


async def test_a_nested_execution_sends_the_token_of_its_caller(account: Account):
    send = {"TaskToken.$": "$.token", "Output": '{"came": "back"}'}
    inner = await create_machine(account.client, task("arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", send))
    call = {"StateMachineArn": inner, "Input": {"token.$": TOKEN}}
    found = await account.output(task("arn:aws:states:::states:startExecution.waitForTaskToken", call))
    assert found == {"came": "back"}


async def test_a_function_keeps_the_token():
    tokens: list[str] = []

    def take(event: Any) -> str:
        tokens.append(event["token"])
        return "not the result"

    call = {"FunctionName": "take", "Payload": {"token.$": TOKEN}}
    async with LocalStepFunctions(functions={"take": take}) as local, connect(local) as client:
        account = Account(client)
        execution = await account.start(task("arn:aws:states:::lambda:invoke.waitForTaskToken", call))
        await account.reached(execution, "TaskSubmitted")
        await client.send_task_failure(taskToken=tokens[0], error="Refused", cause="by hand")
        ended = await account.ended(execution)
    assert (ended["error"], ended["cause"]) == ("Refused", "by hand")


@pytest.mark.parametrize("resource", ["dynamodb:putItem", "batch:submitJob", "athena:startQueryExecution"])
async def test_where_there_is_no_token_to_wait_for(account: Account, resource: str):
    """Most optimized integrations cannot wait for a token (developer guide, "Integrating services")."""
    error, cause = await account.failure(task(f"arn:aws:states:::{resource}.waitForTaskToken", {}))
    assert error == "States.Runtime"
    assert "is not recognized" in cause["text"]
