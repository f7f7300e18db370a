"""What an engine can be asked to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal

from workers.errors import UsageError

POLL_HOLD = 60.0
"""Seconds for which GetActivityTask waits for a task (API reference)."""
LONGEST_HOLD = 3_600.0
KEEP = 1_000
"""Finished executions that are remembered."""

ClockName = Literal["real", "skip", "manual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """See `LocalStepFunctions`. Raises `UsageError` for a number that makes no sense."""

    port: int = 0
    poll_hold: float = POLL_HOLD
    keep: int = KEEP
    data: PathLike[str] | str | None = None
    clock: ClockName = "real"
    harsh: bool = False
    seed: int | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    mocks: PathLike[str] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.poll_hold <= LONGEST_HOLD:
            raise UsageError(f"a poll cannot be held for {self.poll_hold} seconds: choose 0 to {LONGEST_HOLD:.0f}")
        if self.keep < 0:
            raise UsageError(f"{self.keep} finished executions cannot be kept: choose 0 or more")
        if self.clock not in {"real", "skip", "manual"}:
            raise UsageError(f"there is no clock {self.clock!r}: choose real, skip or manual")
