"""Activities in an account: created, listed, described, deleted."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.arns import activity_name, namespaced
from workers.stepfunctions.account import Account, using
from workers.stepfunctions.protocol import DeniedError

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as it is registered."""

    name: str
    arn: str
    created: datetime

    def to_json(self) -> dict[str, Any]:
        """As `workers activities --json` prints it."""
        return {"name": self.name, "arn": self.arn, "created": self.created.isoformat()}


async def ensure_activities(
    names: Iterable[str], *, tags: Mapping[str, str] | None = None, account: Account | None = None
) -> list[str]:
    """Creates those of the activities `names` (or ARNs) that do not exist; returns their ARNs.

    `tags` are given to those that are created. Activities of other accounts and regions are left alone. Raises
    `UsageError` for a name that AWS would refuse, and `ServiceError`.
    """
    async with using(account) as here:
        missing = await missing_activities(here, map(here.activity, names))
        aws_tags = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        for arn in missing:
            await here.call("CreateActivity", name=activity_name(arn), tags=aws_tags or None)
        return missing


async def missing_activities(account: Account, arns: Iterable[str]) -> list[str]:
    """Those of the activities that do not exist and could be created in `account`."""
    wanted = [arn for arn in dict.fromkeys(arns) if arn == account.place.activity(activity_name(arn))]
    known = await _known(account, wanted) if wanted else set()
    return [arn for arn in wanted if arn not in known]


async def list_activities(*, account: Account | None = None) -> AsyncIterator[Activity]:
    """The activities of the account, or of the namespace, by name."""
    async with using(account) as here:
        prefix = namespaced("", here.namespace)
        async for item in here.items("ListActivities", "activities", maxResults=_PAGE):
            if item["name"].startswith(prefix):
                yield _activity(item)


async def describe_activity(name: str, *, account: Account | None = None) -> Activity:
    """The activity `name` (or an ARN). Raises `ServiceError` with the code ActivityDoesNotExist."""
    async with using(account) as here:
        return _activity(await here.call("DescribeActivity", activityArn=here.activity(name)))


async def delete_activity(name: str, *, account: Account | None = None) -> str:
    """Deletes an activity, if there is one; returns its ARN. Its tasks are lost until they time out."""
    async with using(account) as here:
        arn = here.activity(name)
        await here.call("DeleteActivity", activityArn=arn)
        return arn


async def _known(account: Account, wanted: Iterable[str]) -> set[str]:
    """Those of the activities that exist: a list is read, because its bucket refills fastest."""
    looked_for = set(wanted)
    found: set[str] = set()
    try:
        async for item in account.items("ListActivities", "activities", maxResults=_PAGE):
            if item["activityArn"] in looked_for:
                found.add(item["activityArn"])
                if found == looked_for:
                    break
    except DeniedError:
        return set()  # who may create but not list creates them all: CreateActivity is idempotent
    return found


def _activity(item: Mapping[str, Any]) -> Activity:
    return Activity(item["name"], item["activityArn"], item["creationDate"])
