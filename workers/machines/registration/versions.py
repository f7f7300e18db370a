"""Versions and aliases: a version is a definition that does not change any more, an alias the name of one."""

import re

from workers.errors import UsageError
from workers.machines.registration.results import Change
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError

_ALIAS = re.compile(r"(?=.*[a-zA-Z_.-])[a-zA-Z0-9_.-]{1,80}", re.ASCII)
"""CreateStateMachineAlias, API reference, `name`."""


def check_alias(name: str) -> None:
    """Raises `UsageError` for a name of an alias that AWS would refuse."""
    if not _ALIAS.fullmatch(name):
        raise UsageError(
            f"the alias name {name!r} would be refused by AWS: use 1 to 80 letters, digits, -, _ and ., not only digits"
        )


async def publish_version(
    account: Account, arn: str, *, created: float | None, revision: str | None
) -> tuple[str, bool]:
    """The ARN of the version of the current revision, and whether it was published just now.

    `revision`: refuses, with ConflictException, to publish any other than this one. Raises `ServiceError`.
    """
    newest = await account.call("ListStateMachineVersions", created=created, stateMachineArn=arn, maxResults=1)
    known = [version["stateMachineVersionArn"] for version in newest["stateMachineVersions"]]
    answer = await account.call("PublishStateMachineVersion", created=created, stateMachineArn=arn, revisionId=revision)
    version = str(answer["stateMachineVersionArn"])
    return version, version not in known


async def move_alias(account: Account, machine: str, name: str, version: str) -> tuple[str, Change | None]:
    """Makes the alias `name` of the state machine with the ARN `machine` route to `version` alone.

    Returns its ARN, and what was changed.
    """
    arn = f"{machine}:{name}"
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    number = version.rpartition(":")[2]
    try:
        found = await account.call("DescribeStateMachineAlias", stateMachineAliasArn=arn)
    except ServiceError as error:
        if not is_missing(error):
            raise
        await account.call("CreateStateMachineAlias", name=name, routingConfiguration=routes)
        return arn, Change(f"alias {name}", f"created, to version {number}")
    if found["routingConfiguration"] == routes:
        return arn, None
    await account.call("UpdateStateMachineAlias", stateMachineAliasArn=arn, routingConfiguration=routes)
    return arn, Change(f"alias {name}", f"moved to version {number}")
