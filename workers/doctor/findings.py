"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """It does not work."""
    WARNING = "warning"
    """It works, and will hurt some day."""
    NOTE = "note"
    """Worth knowing; also what could not be examined."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    code: str
    """A stable name, such as `not-handled`."""
    where: str
    """`adder.yaml: Add`, `activity add`, …"""
    message: str
    """What it is, and what to do."""
    level: Level = Level.WARNING

    def __str__(self) -> str:
        return f"{self.where}: {self.level}: {self.message} [{self.code}]"

    def to_json(self) -> dict[str, Any]:
        """As `workers doctor --json` prints it."""
        return {"code": self.code, "level": str(self.level), "where": self.where, "message": self.message}
