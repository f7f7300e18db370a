"""The history of an execution: what happened, event by event."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.executions.execution import Execution
from workers.executions.names import execution_arn
from workers.stepfunctions.account import Account, using

_PAGE = 1_000
_JSON = ("input", "output", "parameters")
"""The details that are JSON as text."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a history."""

    id: int
    previous: int
    """The id of the event that led to it; 0 for none."""
    type: str
    """`TaskStateEntered`, `ActivityFailed`, … as AWS names them."""
    at: datetime
    details: Mapping[str, Any] = field(repr=False)
    """What AWS tells of it; `input`, `output` and `parameters` as data, unless AWS cut them."""

    @property
    def state(self) -> str | None:
        """The name of the state that it names itself; most events name none."""
        found = self.details.get("state", self.details.get("name"))
        return found if isinstance(found, str) else None

    def to_json(self) -> dict[str, Any]:
        """As `workers executions history --json` prints it."""
        return {
            "id": self.id,
            "previous": self.previous,
            "type": self.type,
            "at": self.at.isoformat(),
            "details": dict(self.details),
        }


async def execution_history(
    execution: str | Execution,
    *,
    newest_first: bool = False,
    data: bool = True,
    created: float | None = None,
    account: Account | None = None,
) -> AsyncIterator[Event]:
    """The events of an execution (its ARN, or MACHINE:NAME), over all pages.

    `data`: with inputs and outputs. `created`: when it was started, if just now (`time.monotonic()`): it may not be
    known at once. Raises `ServiceError`.
    """
    async with using(account) as here:
        arn = execution_arn(here, execution)
        async for item in history_items(here, arn, newest_first=newest_first, data=data, created=created):
            yield from_item(item)


async def history_items(
    account: Account, arn: str, *, newest_first: bool = False, data: bool = True, created: float | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The events of an execution as GetExecutionHistory gives them, over all pages."""
    async for item in account.items(
        "GetExecutionHistory",
        "events",
        created=created,
        executionArn=arn,
        reverseOrder=newest_first,
        includeExecutionData=data,
        maxResults=_PAGE,
    ):
        yield item


def from_item(item: Mapping[str, Any], *, decode: bool = True) -> Event:
    """The event in an item of GetExecutionHistory. `decode`: whether what is JSON becomes data, or stays text."""
    details: Mapping[str, Any] = next((value for key, value in item.items() if key.endswith("EventDetails")), {})
    decoded = {name: _decoded(value) if decode and name in _JSON else value for name, value in details.items()}
    return Event(item["id"], item.get("previousEventId", 0), item["type"], item["timestamp"], decoded)


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text
