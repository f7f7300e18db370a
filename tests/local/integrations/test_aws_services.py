"""AWS services called by tasks, on the engine's own port."""

import json
import re

import pytest

from tests.account import unique
from tests.local.integrations.conftest import ask
from workers.local.integrations.integrations import Integrations
from workers.local.values.errors import StateError

TABLE = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
async def table(integrations: Integrations) -> str:
    name = unique("table")
    made = await ask(integrations, "aws-sdk:dynamodb:createTable", TABLE | {"TableName": name})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["TableDescription"]["CreationDateTime"])
    return name


async def refused(integrations: Integrations, resource: str, parameters: object) -> tuple[str | None, str | None]:
    with pytest.raises(StateError) as raised:
        await ask(integrations, resource, parameters)
    return raised.value.error, raised.value.cause


async def test_dynamodb(integrations: Integrations, table: str):
    item = {"id": {"S": "1"}, "data": {"M": {"n": {"N": "2"}, "b": {"B": "text"}}}}
    put = await ask(integrations, "dynamodb:putItem", {"TableName": table, "Item": item})
    assert put.keys() == {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert put["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert put["SdkResponseMetadata"]["RequestId"]
    got = await ask(integrations, "aws-sdk:dynamodb:getItem", {"TableName": table, "Key": {"id": {"S": "1"}}})
    assert got["Item"] == item


async def test_errors_of_both_kinds_of_integration(integrations: Integrations, table: str):
    again = {"TableName": table, "Item": {"id": {"S": "1"}}, "ConditionExpression": "attribute_not_exists(id)"}
    await ask(integrations, "dynamodb:putItem", again)
    error, cause = await refused(integrations, "aws-sdk:dynamodb:putItem", again)
    assert error == "DynamoDb.ConditionalCheckFailedException"
    assert re.fullmatch(r".+ \(Service: DynamoDb, Status Code: 400, Request ID: [\w-]+\)", cause or "")
    error, cause = await refused(integrations, "dynamodb:putItem", again)
    assert error == "DynamoDB.ConditionalCheckFailedException"
    details = "Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: "
    assert re.fullmatch(rf".+ \(Service: AmazonDynamoDBv2; {details}[\w-]+; Proxy: null\)", cause or "")


async def test_s3(integrations: Integrations):
    bucket = unique("bucket")
    await ask(integrations, "aws-sdk:s3:createBucket", {"Bucket": bucket})
    await ask(integrations, "aws-sdk:s3:putObject", {"Bucket": bucket, "Key": "a/b", "Body": {"x": [1]}})
    got = await ask(integrations, "aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "a/b"})
    assert got["Body"] == '{"x":[1]}'
    assert got["ContentLength"] == 9
    listed = await ask(integrations, "aws-sdk:s3:listObjectsV2", {"Bucket": bucket})
    assert [item["Key"] for item in listed["Contents"]] == ["a/b"]
    error, cause = await refused(integrations, "aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "none"})
    assert error == "S3.NoSuchKeyException"
    assert "(Service: S3, Status Code: 404, Request ID: " in (cause or "")
    error, _ = await refused(integrations, "aws-sdk:s3:headObject", {"Bucket": bucket, "Key": "none"})
    assert error == "S3.NoSuchKeyException"


async def test_objects_become_text_where_a_service_wants_text(integrations: Integrations):
    queue = await ask(integrations, "aws-sdk:sqs:createQueue", {"QueueName": unique("queue")})
    sent = await ask(
        integrations, "sqs:sendMessage", {"QueueUrl": queue["QueueUrl"], "MessageBody": {"to": "you", "n": None}}
    )
    received = await ask(integrations, "aws-sdk:sqs:receiveMessage", {"QueueUrl": queue["QueueUrl"]})
    assert received["Messages"][0]["MessageId"] == sent["MessageId"]
    assert json.loads(received["Messages"][0]["Body"]) == {"to": "you", "n": None}
    assert sent["MD5OfMessageBody"] == received["Messages"][0]["MD5OfBody"]
    topic = await ask(integrations, "aws-sdk:sns:createTopic", {"Name": unique("topic")})
    assert (await ask(integrations, "sns:publish", {"TopicArn": topic["TopicArn"], "Message": {"a": 1}}))["MessageId"]
    entry = {"Source": "tests", "DetailType": "Test", "Detail": {"a": 1}}
    put = await ask(integrations, "events:putEvents", {"Entries": [entry]})
    assert put["FailedEntryCount"] == 0


async def test_a_queue_elsewhere_cannot_be_reached(integrations: Integrations):
    parameters = {"QueueUrl": "http://no-such-queue.invalid", "MessageBody": "x"}
    assert await refused(integrations, "sqs:sendMessage", parameters) == (
        "SQS.SdkClientException",
        "Unable to execute HTTP request: no-such-queue.invalid: Name or service not known",
    )


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"TableName": "t"}, "The field 'Key' is required but was missing"),
        ({"TableName": "t", "Kee": {}}, "The field 'Kee' is not supported by Step Functions"),
        ({"TableName": 1, "Key": {}}, "The value for the field 'TableName' must be a STRING"),
        ({"TableName": "t", "Key": {"id": {"N": 1}}}, "The value for the field 'N' must be a STRING"),
        ({"TableName": "t", "Key": []}, "The value for the field 'Key' must be a MAP"),
        ("text", "The value for the field 'Parameters' must be a STRUCTURE"),
    ],
)
async def test_parameters_that_do_not_fit(integrations: Integrations, parameters: object, why: str):
    error, cause = await refused(integrations, "aws-sdk:dynamodb:getItem", parameters)
    assert error == "States.Runtime"
    assert cause == (
        f"The Parameters '{json.dumps(parameters, separators=(',', ':'))}' could not be used to start the Task: [{why}]"
    )


@pytest.mark.parametrize(
    "resource",
    ["aws-sdk:nowhere:doIt", "aws-sdk:s3:eatObject", "nowhere:doIt", "sqs:eatMessage", "arn:aws:x", "states:x"],
)
async def test_what_is_no_service_is_not_recognized(integrations: Integrations, resource: str):
    error, cause = await refused(integrations, resource, {})
    assert error == "States.Runtime"
    assert "is not recognized" in (cause or "")
