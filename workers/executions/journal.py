"""The journal of a bulk operation: what is done stands in a file, so that an interrupted one can go on."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from workers.errors import UsageError


class Journal:
    """The executions that are done, one JSON object a line after a first one that names the work."""

    def __init__(self, path: str | Path, *, action: str, machine: str) -> None:
        self._path = Path(path)
        self._work = {"action": action, "machine": machine}
        self._file: TextIO | None = None
        self.done: set[str] = set()
        """ARNs."""

    def __enter__(self) -> Self:
        """Reads what is done. Raises `UsageError` for a file that cannot be used, or that is of other work."""
        try:
            known = self._path.read_text() if self._path.exists() else ""
            self._read(known)
            self._file = self._path.open("a")
        except OSError as error:
            raise UsageError(f"the journal {self._path} cannot be used: {error.strerror}") from None
        if not known:
            self._write(self._work)
        elif not known.endswith("\n"):  # the last line was cut when the process died: it does not count
            self._file.write("\n")
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, arn: str) -> None:
        """Notes that an execution is done; on disk when it returns."""
        self.done.add(arn)
        self._write({"execution": arn})

    def _read(self, text: str) -> None:
        first, *rest = text.splitlines() or [""]
        if text and _parsed(first) != self._work:
            raise UsageError(f"the journal {self._path} is of other work: {first[:200]}")
        self.done = {line["execution"] for line in map(_parsed, rest) if "execution" in line}

    def _write(self, line: dict[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
