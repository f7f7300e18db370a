"""AWS Batch beside Step Functions: which queues there are, what it says of jobs, and where their results are."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from workers.manager.batch.jobs import Detail
from workers.services import service_config
from workers.stepfunctions.connection import Connection

_AT_ONCE = 100
"""DescribeJobs and BatchGetItem take so many."""
_KEY, _RESULT = "Key", "Result"
"""The attributes of an item with the result of a job."""


@dataclass(frozen=True)
class Batch:
    """What the manager knows of AWS Batch."""

    queues: Mapping[str, str] = field(default_factory=dict)
    """The names or ARNs of its queues, by the names that workflows have for them."""
    results: str | None = None
    """A table of DynamoDB into which jobs write their outputs."""

    async def details(self, connection: Connection, ids: Collection[str]) -> dict[str, Detail]:
        """What Batch says of jobs, by their ids; it forgets them a day after their end."""
        found: dict[str, Detail] = {}
        if ids:
            async with connection.client("batch", service_config()) as client:
                for some in _hundreds(ids):
                    answer = await client.describe_jobs(jobs=some)
                    found |= {job["jobId"]: job for job in answer["jobs"]}
        return found

    async def outputs(self, connection: Connection, ids: Collection[str]) -> dict[str, list[Any]]:
        """The outputs of jobs that have written some, by their ids."""
        found: dict[str, list[Any]] = {}
        if ids and self.results is not None:
            async with connection.client("dynamodb", service_config()) as client:
                for some in _hundreds(ids):
                    asked = {self.results: {"Keys": [{_KEY: {"S": one}} for one in some]}}
                    while asked:
                        answer = await client.batch_get_item(RequestItems=asked)
                        items = answer["Responses"].get(self.results, ())
                        found |= {item[_KEY]["S"]: _list(item.get(_RESULT, {})) for item in items}
                        asked = answer.get("UnprocessedKeys")  # an answer has at most 16 MB
        return found


FAULTS = (ClientError, BotoCoreError)
"""What the calls of `Batch` raise."""


def _hundreds(ids: Collection[str]) -> list[list[str]]:
    known = list(ids)
    return [known[start : start + _AT_ONCE] for start in range(0, len(known), _AT_ONCE)]


def _list(attribute: Mapping[str, Any]) -> list[Any]:
    """The result in an attribute: a list of texts, or a JSON array as text."""
    if "L" in attribute:
        return [one.get("S") for one in attribute["L"]]
    try:
        value = json.loads(attribute.get("S", "[]"))
    except ValueError:
        return [attribute["S"]]
    return value if isinstance(value, list) else [value]
