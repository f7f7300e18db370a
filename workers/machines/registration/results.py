"""What registering a state machine has changed."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was before."""

    what: str
    """`state machine adder`, `definition`, `activity add`, `version 3`, …"""
    action: str
    """`created`, `updated`, `published`, …"""

    def __str__(self) -> str:
        return f"{self.what}: {self.action}"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A state machine as it is registered now. `start_execution` takes it like a name, and starts just this one."""

    name: str
    arn: str
    express: bool
    changes: tuple[Change, ...] = ()
    """What registering it has changed, in the order in which it was done; empty when all was there already."""
    version: str | None = None
    """The ARN of the version that was published, or that was there already."""
    alias: str | None = None
    """The ARN of the alias that routes to this version."""
    revision: str | None = field(default=None, repr=False)
    """The revision that an update made; executions may get the one before for some seconds."""
    created: float | None = field(default=None, repr=False)
    """When it was created, if it was (`time.monotonic()`)."""

    def to_json(self) -> dict[str, Any]:
        """As `workers machines put --json` prints it."""
        return {
            "name": self.name,
            "arn": self.arn,
            "type": "EXPRESS" if self.express else "STANDARD",
            "version": self.version,
            "alias": self.alias,
            "changes": [{"what": change.what, "action": change.action} for change in self.changes],
        }


def now() -> float:
    """The clock of `Registered.created`."""
    return time.monotonic()
