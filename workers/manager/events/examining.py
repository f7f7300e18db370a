"""What may keep events from a queue, as far as AWS tells."""

import json
from collections.abc import AsyncIterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from workers.manager.events.keys import is_managed_by_aws, key_policy, lets_events_in, statement
from workers.manager.events.message import DETAIL_TYPE, SOURCE
from workers.manager.events.proof import MACHINE
from workers.manager.events.queue import OpenQueue
from workers.stepfunctions.account import Account


async def examine(account: Account, queue: OpenQueue) -> list[str]:
    """What is wrong with the queue, its key, its policy and the rules that send to it; nothing where all is well."""
    found = [problem async for problem in _problems_of_key(account, queue)]
    found += _problems_of_policy(queue)
    try:
        found += [problem async for problem in _problems_of_rules(account, queue)]
    except (ClientError, BotoCoreError) as error:
        found.append(f"the rules of EventBridge cannot be read: {error}")
    return found


async def _problems_of_key(account: Account, queue: OpenQueue) -> AsyncIterator[str]:
    key = queue.attributes.get("KmsMasterKeyId")
    if not key:
        return
    if is_managed_by_aws(key):
        yield f"the queue is encrypted with {key}, which EventBridge cannot use: take SSE-SQS, or a key of your own"
        return
    try:
        policy = await key_policy(account, key)
    except (ClientError, BotoCoreError) as error:
        yield f"the policy of key {key} cannot be read: {error}"
        return
    if not lets_events_in(policy):
        yield f"the policy of key {key} does not let EventBridge in: add {json.dumps(statement(account))}"


def _problems_of_policy(queue: OpenQueue) -> list[str]:
    policy = json.loads(queue.attributes.get("Policy") or "{}")
    if "events.amazonaws.com" in json.dumps(policy):
        return []
    return ["the policy of the queue does not let events.amazonaws.com send: --create-events adds that"]


async def _problems_of_rules(account: Account, queue: OpenQueue) -> AsyncIterator[str]:
    async with account.client("events") as events:
        names = (await events.list_rule_names_by_target(TargetArn=queue.arn))["RuleNames"]
        if not names:
            yield "no rule of EventBridge sends to the queue: --create-events makes one"
        for name in names:
            rule = await events.describe_rule(Name=name)
            if rule.get("State") != "ENABLED":
                yield f"the rule {name} is disabled"
            if not await _matches(events, rule.get("EventPattern"), _sample(account)):
                yield f"the pattern of rule {name} does not let status changes of executions through"


async def _matches(events: Any, pattern: str | None, event: dict[str, Any]) -> bool:
    """Whether a pattern lets an event through; where AWS does not say, it is taken to."""
    if not pattern:
        return False
    try:
        answer = await events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
    except (ClientError, BotoCoreError):
        answer = {}
    return bool(answer.get("Result", SOURCE in pattern))


def _sample(account: Account) -> dict[str, Any]:
    """An event as the check will have it."""
    machine, place = MACHINE, account.place
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": place.account,
        "time": "2026-01-01T00:00:00Z",
        "region": place.region,
        "resources": [place.execution(machine, "check")],
        "detail": {
            "executionArn": place.execution(machine, "check"),
            "stateMachineArn": place.state_machine(machine),
            "name": "check",
            "status": "RUNNING",
        },
    }
