"""Whether EventBridge can use the KMS key of a queue (SQS developer guide, "Configuring KMS permissions")."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from workers.errors import UsageError, WorkersError
from workers.stepfunctions.account import Account

_PRINCIPAL = "events.amazonaws.com"
_NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")


def is_managed_by_aws(key: str) -> bool:
    """Whether it is the key that AWS manages for SQS: nobody can let EventBridge use it."""
    return key.rpartition("alias/")[2] == "aws/sqs"


async def check_key(account: Account, key: str) -> None:
    """Raises `UsageError` for a key that EventBridge cannot use, with what is to be added to its policy."""
    if is_managed_by_aws(key):
        raise UsageError(
            f"{key}: EventBridge cannot use the key that AWS manages: take one of your own, or none for SSE-SQS"
        )
    try:
        policy = await key_policy(account, key)
    except (ClientError, BotoCoreError) as error:
        raise WorkersError(f"the policy of key {key} cannot be read: {error}") from error
    if not lets_events_in(policy):
        raise UsageError(
            f"key {key} does not let EventBridge encrypt: add this to its policy: {json.dumps(statement(account))}"
        )


async def key_policy(account: Account, key: str) -> dict[str, Any]:
    """The policy of a key. Raises `ClientError` and `BotoCoreError`."""
    async with account.client("kms") as kms:
        key_id = (await kms.describe_key(KeyId=key))["KeyMetadata"]["KeyId"]  # policies are not found by aliases
        answer = await kms.get_key_policy(KeyId=key_id, PolicyName="default")
    policy: dict[str, Any] = json.loads(answer["Policy"])
    return policy


def statement(account: Account) -> dict[str, Any]:
    """What a key's policy must say for EventBridge."""
    return {
        "Sid": "WorkersEvents",
        "Effect": "Allow",
        "Principal": {"Service": _PRINCIPAL},
        "Action": list(_NEEDED),
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.place.account}},
    }


def lets_events_in(policy: dict[str, Any]) -> bool:
    """Whether a policy of a key lets EventBridge encrypt what it sends; conditions are taken to hold."""
    patterns = [pattern for one in _listed(policy.get("Statement")) for pattern in _allowed(one)]
    return all(any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns) for action in _NEEDED)


def _allowed(one: dict[str, Any]) -> Iterator[str]:
    principal = one.get("Principal")
    services = _listed(principal.get("Service")) if isinstance(principal, dict) else [principal]
    if one.get("Effect") == "Allow" and (_PRINCIPAL in services or "*" in services):
        yield from _listed(one.get("Action"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
