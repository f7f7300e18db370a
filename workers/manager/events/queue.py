"""The queue that status changes come by, and the rule of EventBridge that sends them there."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from workers.callbacks.resources import create_queues, open_sqs, queue_url
from workers.errors import UsageError, WorkersError
from workers.manager.events.keys import check_key, is_managed_by_aws
from workers.manager.events.message import DETAIL_TYPE, SOURCE
from workers.stepfunctions.account import Account

log = structlog.get_logger(__name__)

PATTERN = {"source": [SOURCE], "detail-type": [DETAIL_TYPE]}
"""What the rule lets through: status changes of all executions of the account and region."""
_SID = "WorkersEvents"
_VISIBILITY = 30.0
"""Seconds after which a message is read again that a service died with."""
_RULE_LIMIT = 64


@dataclass(frozen=True, slots=True)
class EventQueue:
    """What somebody says of the queue: its name; whether it is to be made, with its rule; its own KMS key."""

    name: str
    create: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """A queue that there is."""

    sqs: Any
    url: str
    arn: str
    attributes: dict[str, str]

    @property
    def has_dead_letters(self) -> bool:
        """Whether what is received too often goes to another queue."""
        return bool(self.attributes.get("RedrivePolicy"))


@asynccontextmanager
async def open_queue(account: Account, queue: EventQueue) -> AsyncIterator[OpenQueue]:
    """The queue, made where that is wished. Raises `UsageError` where there is none, and `WorkersError`."""
    async with open_sqs(account.connection) as sqs:
        if queue.create:
            await _create(account, sqs, queue)
        yield await _opened(sqs, queue.name)


async def _opened(sqs: Any, name: str) -> OpenQueue:
    url = await queue_url(sqs, name, made="let it be made, and its rule, with --create-events")
    try:
        found = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    except (ClientError, BotoCoreError) as error:
        raise WorkersError(f"queue {name}: {error}") from error
    attributes: dict[str, str] = found["Attributes"]
    return OpenQueue(sqs, url, attributes["QueueArn"], attributes)


async def _create(account: Account, sqs: Any, queue: EventQueue) -> None:
    """Makes the queue, its dead letter queue and the rule, or brings them to this state."""
    if queue.name.endswith(".fifo"):
        raise UsageError(f"{queue.name}: take a standard queue: the order of events does not matter")
    if queue.key:
        await check_key(account, queue.key)
    try:
        before = (await _opened(sqs, queue.name)).attributes
    except UsageError:
        before = {}
    await create_queues(sqs, queue.name, visibility=_VISIBILITY)
    made = await _opened(sqs, queue.name)
    with _refusals(f"queue {queue.name}"):
        rule = await _ensure_rule(account, queue.name, made.arn)
        attributes = {"Policy": _policy(before.get("Policy"), made.arn, rule)}
        attributes |= _encryption(queue.key, before.get("KmsMasterKeyId"))
        await sqs.set_queue_attributes(QueueUrl=made.url, Attributes=attributes)
    log.info("events are sent", queue=queue.name, rule=rule)


async def _ensure_rule(account: Account, name: str, queue_arn: str) -> str:
    """The ARN of the rule. One that is there keeps its pattern: somebody may have narrowed it."""
    name = name[:_RULE_LIMIT]
    async with account.client("events") as events:
        try:
            known = await events.describe_rule(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            made = await events.put_rule(Name=name, EventPattern=json.dumps(PATTERN), State="ENABLED")
            arn = str(made["RuleArn"])
        else:
            arn = str(known["Arn"])
            if known.get("State") == "DISABLED":
                await events.enable_rule(Name=name)
        answer = await events.put_targets(Rule=name, Targets=[{"Id": "workers", "Arn": queue_arn}])
        if answer.get("FailedEntryCount"):
            raise WorkersError(f"rule {name}: {answer['FailedEntries'][0].get('ErrorMessage')}")
    return arn


def _policy(known: str | None, queue_arn: str, rule_arn: str) -> str:
    """The queue's policy, with the statement that lets the rule send; what others have put there stays."""
    policy: dict[str, Any] = json.loads(known) if known else {"Version": "2012-10-17", "Statement": []}
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    own = {
        "Sid": _SID,
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return json.dumps(policy | {"Statement": [*(one for one in statements if one.get("Sid") != _SID), own]})


def _encryption(key: str | None, known: str | None) -> dict[str, str]:
    """How the queue is to be encrypted: with the key that was given, else as it is, where EventBridge can use that."""
    if key:
        return {"KmsMasterKeyId": key}
    if known and not is_managed_by_aws(known):
        return {}
    return {"SqsManagedSseEnabled": "true"}


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise WorkersError(f"{what} cannot be made ready for events: {error}") from error
