"""The queue, its rule and its key: made on request, and found to be in order, or not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.account import unique
from workers.errors import UsageError
from workers.manager.events.examining import examine
from workers.manager.events.queue import PATTERN, EventQueue, OpenQueue, open_queue
from workers.stepfunctions.account import Account

OPEN = {"Sid": "Everybody", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}


@pytest.fixture
async def events(here: Account) -> AsyncIterator[Any]:
    async with here.client("events") as client:
        yield client


async def made(here: Account, name: str, **options: Any) -> OpenQueue:
    """The queue as it is after it was asked for."""
    async with open_queue(here, EventQueue(name, create=True, **options)) as queue:
        return queue


async def problems(here: Account, name: str) -> list[str]:
    async with open_queue(here, EventQueue(name)) as queue:
        return await examine(here, queue)


async def key(here: Account, *statements: dict[str, Any]) -> str:
    async with here.client("kms") as kms:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [OPEN, *statements]})
        return str((await kms.create_key(Policy=policy))["KeyMetadata"]["Arn"])


async def encrypt(here: Account, queue: OpenQueue, key: str) -> None:
    """Encrypts it with a key; moto takes away a policy that is not said again."""
    attributes = {"KmsMasterKeyId": key, "Policy": queue.attributes["Policy"]}
    async with here.client("sqs") as sqs:
        await sqs.set_queue_attributes(QueueUrl=queue.url, Attributes=attributes)


async def test_all_is_made_and_making_it_again_changes_nothing(here: Account, events: Any):
    name = unique("events")
    first, again = await made(here, name), await made(here, name)
    assert (first.url, first.arn) == (again.url, again.arn)
    attributes = again.attributes
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["VisibilityTimeout"] == "30"
    assert again.has_dead_letters
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == f"{again.arn}-dlq"
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    rule = await events.describe_rule(Name=name)
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule["Arn"]}}
    assert json.loads(rule["EventPattern"]) == PATTERN
    (target,) = (await events.list_targets_by_rule(Rule=name))["Targets"]
    assert target["Arn"] == again.arn
    assert await problems(here, name) == []


async def test_what_others_have_set_stays(here: Account, events: Any):
    name = unique("events")
    queue = await made(here, name)
    narrow = json.dumps(PATTERN | {"detail": {"status": ["FAILED"]}})
    await events.put_rule(Name=name, EventPattern=narrow, State="DISABLED")
    statement = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": "sqs:PurgeQueue", "Resource": queue.arn}
    async with here.client("sqs") as sqs:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        await sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
    again = await made(here, name)
    sids = [one["Sid"] for one in json.loads(again.attributes["Policy"])["Statement"]]
    assert sids == ["Mine", "WorkersEvents"]
    rule = await events.describe_rule(Name=name)
    assert (rule["EventPattern"], rule["State"]) == (narrow, "ENABLED")


async def test_the_key_that_aws_manages_is_of_no_use(here: Account):
    name = unique("events")
    queue = await made(here, name)
    await encrypt(here, queue, "alias/aws/sqs")
    (problem,) = await problems(here, name)
    assert "EventBridge cannot use" in problem
    assert (await made(here, name)).attributes["SqsManagedSseEnabled"] == "true"
    with pytest.raises(UsageError, match="the key that AWS manages"):
        await made(here, name, key="alias/aws/sqs")


async def test_a_key_of_ones_own_must_let_eventbridge_in(here: Account):
    closed = await key(here)
    with pytest.raises(UsageError, match=r"add this to its policy: .*events\.amazonaws\.com") as refusal:
        await made(here, unique("events"), key=closed)
    statement = json.loads(str(refusal.value).partition("policy: ")[2])
    fine = await key(here, statement)
    name = unique("events")
    assert (await made(here, name, key=fine)).attributes["KmsMasterKeyId"] == fine
    assert await problems(here, name) == []
    assert (await made(here, name)).attributes["KmsMasterKeyId"] == fine  # it is no wish to take it away
    await encrypt(here, await made(here, name), closed)
    (problem,) = await problems(here, name)
    assert f"the policy of key {closed} does not let EventBridge in" in problem


async def test_what_is_in_the_way_is_named(here: Account, events: Any):
    name = unique("events")
    with pytest.raises(UsageError, match=f"there is no queue {name}: .*--create-events"):
        await problems(here, name)
    with pytest.raises(UsageError, match="standard queue"):
        await made(here, "events.fifo")
    async with here.client("sqs") as sqs:
        await sqs.create_queue(QueueName=name)
    policy, rule = await problems(here, name)
    assert "does not let events.amazonaws.com send" in policy
    assert "no rule of EventBridge" in rule
    await made(here, name)
    await events.put_rule(Name=name, EventPattern='{"source":["aws.ec2"]}', State="DISABLED")
    disabled, pattern = await problems(here, name)
    assert f"the rule {name} is disabled" in disabled
    assert f"the pattern of rule {name}" in pattern
