"""An event of a history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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


def from_item(item: Mapping[str, Any], *, decode: bool = True) -> Event:
    """The event in an item of GetExecutionHistory. `decode`: whether what is JSON becomes data, or stays text.

    Without `decode`, the event keeps the details of the item themselves, not a copy of them.
    """
    details: Mapping[str, Any] = {}
    for key in item:  # a loop, as all of this is done 25,000 times for a long history
        if key.endswith("EventDetails"):
            details = item[key]
            break
    if decode:
        details = {name: _decoded(value) if name in _JSON else value for name, value in details.items()}
    return Event(item["id"], item.get("previousEventId", 0), item["type"], item["timestamp"], details)


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text
