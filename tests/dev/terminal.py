"""`workers dev` in a terminal, as a person sees it."""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect

from tests.processes import WORKERS

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal in which `workers dev` runs."""

    def __init__(self, spawned: Any) -> None:
        self.spawned = spawned
        self._log = spawned.logfile_read = io.StringIO()
        self.pid: int = spawned.pid

    def shows(self, *expected: str) -> None:
        """Waits until it shows these texts, one after the other."""
        for text in expected:
            try:
                self.spawned.expect(text)
            except pexpect.ExceptionPexpect:
                raise AssertionError(f"{text!r} was not shown:\n{self._log.getvalue()}") from None

    def press(self, key: str) -> None:
        self.spawned.send(key)

    def quit(self) -> int:
        """Quits; the exit code."""
        self.press("q")
        return self._exit_code()

    def interrupt(self) -> int:
        """Presses Ctrl-C; the exit code."""
        self.spawned.sendintr()
        return self._exit_code()

    def _exit_code(self) -> int:
        self.spawned.expect(pexpect.EOF)
        self.spawned.close()
        return int(self.spawned.exitstatus)

    @property
    def text(self) -> str:
        """What it showed before the last match."""
        return _COLOURS.sub("", self.spawned.before)


@contextmanager
def dev(folder: Path, *arguments: str, port: int | None, **environment: str) -> Iterator[Terminal]:
    """`workers dev handlers:registry` in `folder`, on the engine at `port`, or where the environment says."""
    where = () if port is None else ("--local-port", str(port))
    command = [*WORKERS, "dev", "handlers:registry", *where, *arguments]
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb", "COLUMNS": "200"}
    spawned = pexpect.spawn(
        sys.executable,
        command,
        cwd=folder,
        env=variables | environment,
        encoding="utf-8",
        timeout=40,
        dimensions=(50, 200),
    )
    try:
        yield Terminal(spawned)
    finally:
        spawned.close(force=True)


def save(file: Path, text: str) -> None:
    """Saves a file as editors do: another one, renamed."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    new.replace(file)
