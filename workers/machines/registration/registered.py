"""What an account knows of a state machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.machines.registration.configuration import Configuration, from_description
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError


@dataclass(frozen=True, slots=True)
class Known:
    """A state machine that exists."""

    arn: str
    configuration: Configuration
    revision: str | None
    """None before the first update."""


async def find(account: Account, arn: str, *, tags: bool = False, created: float | None = None) -> Known | None:
    """The state machine with that ARN, with its `tags` where they are wanted; None where there is none, or not for
    long: it is being deleted. `created`: when it was created, if that was just now.

    Raises `ServiceError`.
    """
    try:
        found = await account.call("DescribeStateMachine", created=created, stateMachineArn=arn)
    except ServiceError as error:
        if is_missing(error):
            return None
        raise
    if found["status"] == "DELETING":
        return None
    return Known(arn, from_description(found, await _tags(account, arn) if tags else None), found.get("revisionId"))


async def _tags(account: Account, arn: str) -> dict[str, str]:
    answer: Mapping[str, Any] = await account.call("ListTagsForResource", resourceArn=arn)
    return {tag["key"]: tag["value"] for tag in answer["tags"]}
