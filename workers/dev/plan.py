"""What the loop is to do: whose handlers, which machines, on what input."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.errors import UsageError
from workers.settings import Settings


@dataclass(slots=True)
class Input:
    """What a machine is given: a value, or a file that is read each time."""

    value: Any = field(default_factory=dict)
    file: Path | None = None

    def read(self) -> Any:
        """The value now. Raises `UsageError`."""
        if self.file is None:
            return self.value
        try:
            return json.loads(self.file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"the input {self.file} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"the input {self.file} is no JSON: {error}") from None


@dataclass(slots=True)
class Machine:
    """A machine that is run on each save."""

    file: Path
    input: Input

    @property
    def name(self) -> str:
        """Under which it would be registered."""
        return self.file.stem


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that was said on the command line."""

    target: str
    """The registry, MODULE:ATTRIBUTE."""
    machines: tuple[Machine, ...]
    watch: tuple[Path, ...] = ()
    """Files and folders beside those that are known to matter."""
    settings: Settings = field(default_factory=Settings)
    role: str | None = None
    user: str | None = None
    """Whose registrations these are; by default of the one who is logged in."""
    standby: bool = False
    """Runs nothing itself: works for executions that are started elsewhere."""

    @property
    def files(self) -> list[Path]:
        """The files that matter whatever the code is."""
        inputs = [machine.input.file for machine in self.machines if machine.input.file]
        return [*(machine.file for machine in self.machines), *inputs]
