"""Workflows as items: what is asked for by attributes of their own, what may be large in one, as JSON.

What is over the size of an item goes to the payload store, and a claim stands for it.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from workers.manager.errors import TooLargeError
from workers.manager.model import Job, Launch, Status, Workflow, WorkflowDefinition, WorkflowSummary
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.definitions import read_definition
from workers.manager.store.dynamodb.items import Item, milliseconds, moment
from workers.manager.store.dynamodb.tables import LARGEST
from workers.manager.store.interface import Claim, Unfinished
from workers.payloads.payloads import Payloads

_SAME = ("id", "namespace", "queue", "retry_for", "start_at", "redrive_count", "execution_arn", "cancel_reason",
         "revision")  # fmt: skip
_TIMES = ("created_at", "last_updated", "stopped_at")
_DETAILS = ("input", "output", "status_reason")


class WorkflowItems:
    """Turns workflows into items and back."""

    def __init__(self, database: DynamoDatabase, payloads: Payloads | None) -> None:
        self._database = database
        self._payloads = payloads

    async def write(self, workflow: Workflow, claim: Claim | None = None) -> Item:
        """The item of a workflow. Raises `TooLargeError` where it is too large and there is no payload store."""
        item: Item = {name: getattr(workflow, name) for name in _SAME}
        item |= {
            "definition": workflow.workflow_definition.name,
            "version": workflow.workflow_definition.version,
            "status": workflow.status.value,
            "resolved": workflow.resolved_by_user,
            "launch": workflow.launch.value,
            "tags": json.dumps(workflow.tags, ensure_ascii=False),
            "tag_list": [tag_text(key, value) for key, value in workflow.tags.items()],
            "unfinished": None if workflow.status.terminal else "yes",
            "details": await self._details(workflow),
        }
        for name, order, month in (
            ("created_at", "created", "created_month"),
            ("last_updated", "updated", "updated_month"),
            ("stopped_at", "stopped", "stopped_month"),
        ):
            if time := getattr(workflow, name):
                item |= {name: milliseconds(time), order: ordered(time, workflow.id), month: month_of(time)}
        if claim:
            item |= {"claimed_by": claim.owner, "claimed_until": milliseconds(claim.until)}
        return item

    async def read(self, items: Collection[Item]) -> list[Workflow]:
        """The workflows in items, with their definitions."""
        known = await self._definitions(items)
        return [
            Workflow.model_validate(_common(item, known) | await self._read_details(item["details"])) for item in items
        ]

    async def summaries(self, items: Collection[Item], retries: Mapping[str, tuple[str, ...]]) -> list[WorkflowSummary]:
        """The same as lists show them."""
        return [
            WorkflowSummary.model_validate(
                {name: getattr(one, name) for name in WorkflowSummary.model_fields}
                | {"retries": retries.get(one.id, ())}
            )
            for one in await self.read(items)
        ]

    async def _definitions(self, items: Collection[Item]) -> dict[tuple[str, int], WorkflowDefinition]:
        keys = {(item["definition"], item["version"]) for item in items}
        asked = [{"name": name, "version": version} for name, version in keys]
        found = await self._database.get_all(self._database.names.definitions, asked)
        known = {(item["name"], item["version"]): read_definition(item) for item in found}
        return {key: one.brief() for key, one in known.items()}

    async def _details(self, workflow: Workflow) -> str:
        details: dict[str, Any] = {name: getattr(workflow, name) for name in _DETAILS}
        details["last_job"] = workflow.last_job and _job(workflow.last_job)
        details["jobs"] = None if workflow.jobs is None else [_job(job) for job in workflow.jobs]
        text = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
        if (size := len(text.encode())) <= LARGEST:
            return text
        if self._payloads is None:
            raise TooLargeError(
                f"workflow {workflow.id} has {size:,} bytes and DynamoDB holds {LARGEST:,}: set a payload store"
            )
        small = await self._payloads.offload(details, budget=LARGEST // 2)
        return json.dumps(small, ensure_ascii=False, separators=(",", ":"))

    async def _read_details(self, text: str) -> dict[str, Any]:
        details: dict[str, Any] = json.loads(text)
        if self._payloads is not None:
            details = await self._payloads.reload(details)
        return details


def unfinished(item: Item) -> Unfinished:
    """An item as far as it is needed to look after its workflow."""
    return Unfinished(
        id=item["id"],
        status=Status(item["status"]),
        redrive_count=item["redrive_count"],
        launch=Launch(item["launch"]),
        execution_arn=item.get("execution_arn"),
        created_at=_time(item["created_at"]),
        last_updated=_time(item["last_updated"]),
        revision=item["revision"],
        cancel_reason=item.get("cancel_reason"),
    )


def ordered(time: datetime | int, workflow_id: str = "") -> str:
    """What items are sorted by: a time of ever the same length, and an id."""
    number = time if isinstance(time, int) else milliseconds(time)
    return f"{number:015d}#{workflow_id}"


def tag_text(key: str, value: str) -> str:
    """A tag in one text, which lists can be asked for."""
    return json.dumps([key, value], ensure_ascii=False)


def month_of(time: datetime) -> str:
    """The month of a time: the partition of indexes by time."""
    return f"{time:%Y-%m}"


def _common(item: Item, known: Mapping[tuple[str, int], WorkflowDefinition]) -> dict[str, Any]:
    about = item["definition"], item["version"]
    return {name: item[name] for name in _SAME if name in item} | {
        "workflow_definition": known.get(about) or WorkflowDefinition(name=about[0], version=about[1]),
        "status": item["status"],
        "resolved_by_user": item["resolved"],
        "launch": item["launch"],
        "tags": json.loads(item["tags"]),
        **{name: moment(item[name]) for name in _TIMES if name in item},
    }


def _job(job: Job) -> dict[str, Any]:
    return job.model_dump(mode="json", exclude_none=True)


def _time(number: int) -> datetime:
    time = moment(number)
    assert time is not None  # noqa: S101 - a number is given
    return time
