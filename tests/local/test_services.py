"""The services beside Step Functions, on the same port."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import boto3
import pytest

from tests.account import Account, unique
from tests.local.helpers import SESSION, connect
from workers.local import LocalStepFunctions


async def test_s3(engine: LocalStepFunctions):
    async with connect(engine, "s3") as s3:
        bucket, key, body = unique("bucket"), "a folder/ключ+é %2F.bin", bytes(range(256)) * 8_192  # 2 MB
        await s3.create_bucket(Bucket=bucket)
        await s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"with_underscore": "1"})
        head = await s3.head_object(Bucket=bucket, Key=key)
        assert head["ContentLength"] == len(body)
        assert head["Metadata"] == {"with_underscore": "1"}
        answer = await s3.get_object(Bucket=bucket, Key=key, Range="bytes=256-511")
        assert await answer["Body"].read() == bytes(range(256))
        listed = await s3.list_objects_v2(Bucket=bucket, Prefix="a folder/")
        assert [found["Key"] for found in listed["Contents"]] == [key]
        await s3.delete_object(Bucket=bucket, Key=key)
        with pytest.raises(s3.exceptions.NoSuchKey):
            await s3.get_object(Bucket=bucket, Key=key)


async def test_s3_in_parts_and_compressed(engine: LocalStepFunctions):
    async with connect(engine, "s3") as s3:
        bucket, part = unique("bucket"), b"x" * 5_242_880
        await s3.create_bucket(Bucket=bucket)
        upload = (await s3.create_multipart_upload(Bucket=bucket, Key="parts"))["UploadId"]
        made = []
        for number, body in ((1, part), (2, b"end")):
            sent = await s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=number, Body=body)
            made.append({"PartNumber": number, "ETag": sent["ETag"]})
        await s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": made})
        assert (await s3.head_object(Bucket=bucket, Key="parts"))["ContentLength"] == len(part) + 3
        packed = gzip.compress(b"text")
        await s3.put_object(Bucket=bucket, Key="packed", Body=packed, ContentEncoding="gzip")
        assert (await s3.head_object(Bucket=bucket, Key="packed"))["ContentLength"] == len(packed)


async def test_sqs(engine: LocalStepFunctions):
    async with connect(engine, "sqs") as sqs:
        url = (await sqs.create_queue(QueueName=unique("queue")))["QueueUrl"]
        receive = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10))
        await asyncio.sleep(0.1)
        await sqs.send_message(QueueUrl=url, MessageBody="hello")
        assert [message["Body"] for message in (await receive)["Messages"]] == ["hello"]


async def test_dynamodb(engine: LocalStepFunctions, account: Account):
    async with connect(engine, "dynamodb") as dynamodb:
        table = unique("table")
        await dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Parameters": {"TableName": table, "Item": {"id": {"S.$": "$.id"}, "n": {"N": "1"}}},
            "ResultPath": None,
            "End": True,
        }
        assert await account.output({"StartAt": "Put", "States": {"Put": task}}, {"id": "one"}) == {"id": "one"}
        found = await dynamodb.get_item(TableName=table, Key={"id": {"S": "one"}})
        assert found["Item"] == {"id": {"S": "one"}, "n": {"N": "1"}}


async def test_the_account(engine: LocalStepFunctions):
    async with connect(engine, "sts") as sts, connect(engine, "iam") as iam:
        assert (await sts.get_caller_identity())["Account"] == "123456789012"
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = await iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)
        assert role["Role"]["Arn"].startswith("arn:aws:iam::123456789012:role/")


async def test_events_reach_a_queue(engine: LocalStepFunctions):
    async with connect(engine, "events") as events, connect(engine, "sqs") as sqs:
        name = unique("events")
        url = (await sqs.create_queue(QueueName=name))["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        await events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        await events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        await events.put_events(Entries=[{"Source": name, "DetailType": "test", "Detail": '{"x": 1}'}])
        received = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
        assert json.loads(received["Messages"][0]["Body"])["detail"] == {"x": 1}


async def test_metrics(engine: LocalStepFunctions):
    async with connect(engine, "cloudwatch") as cloudwatch:
        namespace = unique("workers")
        await cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "tasks", "Value": 1.0}])
        listed = await cloudwatch.list_metrics(Namespace=namespace)
        assert [metric["MetricName"] for metric in listed["Metrics"]] == ["tasks"]


async def test_many_requests_at_once(engine: LocalStepFunctions):
    async with connect(engine, "s3") as s3:
        bucket = unique("bucket")
        await s3.create_bucket(Bucket=bucket)
        await asyncio.gather(*(s3.put_object(Bucket=bucket, Key=str(n), Body=str(n).encode()) for n in range(60)))
        listed = await s3.list_objects_v2(Bucket=bucket)
        assert listed["KeyCount"] == 60


async def test_services_of_several_tasks_at_once(engine: LocalStepFunctions, account: Account):
    """The interpreter calls services from many threads."""
    async with connect(engine, "s3") as s3:
        bucket = unique("bucket")
        await s3.create_bucket(Bucket=bucket)
        put = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
            "Parameters": {"Bucket": bucket, "Key.$": "States.Format('{}', $)", "Body": {"x": 1}},
            "ResultPath": None,
            "End": True,
        }
        each = {"Type": "Map", "ItemProcessor": {"StartAt": "Put", "States": {"Put": put}}, "End": True}
        await account.output({"StartAt": "Each", "States": {"Each": each}}, list(range(12)))
        assert (await s3.list_objects_v2(Bucket=bucket))["KeyCount"] == 12


async def test_state_machines_through_the_sdk_task(account: Account):
    describe = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeStateMachine",
        "Parameters": {"StateMachineArn.$": "$$.StateMachine.Id"},
        "ResultSelector": {"name.$": "$.Name"},
        "End": True,
    }
    output = await account.output({"StartAt": "Describe", "States": {"Describe": describe}}, {})
    assert output["name"].startswith("machine-")


async def test_blocking_clients_work_beside_the_loop(engine: LocalStepFunctions, account: Account):
    """The engine has a thread of its own: a client that blocks this loop does not block the engine."""
    keys: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    client = boto3.client("stepfunctions", endpoint_url=engine.url, **keys)
    name = unique("blocking")
    assert client.create_activity(name=name)["activityArn"].endswith(name)
    client.close()


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("AWSStepFunctions.Nonsense", "{}", "UnknownOperationException"),
        ("AWSStepFunctions.RedriveExecution", "{}", "ValidationException"),
        ("AWSStepFunctions.ListActivities", "nonsense", "SerializationException"),
        ("AWSStepFunctions.ListActivities", "[]", "SerializationException"),
        ("AWSStepFunctions.ListActivities", '{"maxResults": "many"}', "SerializationException"),
        ("AWSStepFunctions.ListActivities", '{"maxResults": true}', "SerializationException"),
        ("AWSStepFunctions.CreateActivity", "{}", "ValidationException"),
        ("AWSStepFunctions.CreateActivity", '{"name": null}', "ValidationException"),
        ("AWSStepFunctions.CreateActivity", '{"name": "\\ud800"}', "InvalidName"),
        ("AWSStepFunctions.ListActivities", "[" * 100_000, "SerializationException"),
    ],
)
async def test_requests_that_no_sdk_sends(engine: LocalStepFunctions, target: str, body: str, code: str):
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    async with aiohttp.ClientSession() as session, session.post(engine.url, headers=headers, data=body) as answer:
        assert answer.status == 400
        assert answer.headers["x-amzn-RequestId"]
        assert (await answer.json(content_type="application/x-amz-json-1.0"))["__type"] == code


async def test_an_operation_that_moto_does_not_play(engine: LocalStepFunctions):
    async with connect(engine, "sqs") as sqs:
        with pytest.raises(sqs.exceptions.ClientError) as error:
            await sqs.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:queue")
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


async def test_a_session_that_reads_the_environment(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch):
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    async with SESSION.create_client("stepfunctions") as client:
        assert client.meta.endpoint_url == engine.url
        assert client.meta.region_name == "us-east-1"
