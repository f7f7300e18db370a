"""Where a task of a command works: a directory of its own, which is removed with all that is in it."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import structlog

from workers.errors import UsageError

log = structlog.get_logger(__name__)

_PREFIX = "workers-"


@dataclass(frozen=True, slots=True)
class Place:
    """The directories of one task."""

    work: Path
    """Fresh and empty: for the command."""
    input: Path
    """The file that holds the input, beside it."""


def check_root(root: Path) -> Path:
    """Makes the directory in which those of tasks are made. Raises `UsageError` when that is not possible."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root)).rmdir()
    except OSError as error:
        raise UsageError(f"no work directory can be made in {root}: {error.strerror or error}") from None
    return root.resolve()


@asynccontextmanager
async def fresh_place(root: Path, content: bytes) -> AsyncIterator[Place]:
    """A place under `root` with `content` as its input. Raises `OSError`: no such root, or its disk is full."""
    base = Path(await anyio.to_thread.run_sync(lambda: tempfile.mkdtemp(prefix=_PREFIX, dir=root)))
    place = Place(work=base / "work", input=base / "input.json")

    def fill() -> None:
        place.work.mkdir(mode=0o700)
        place.input.write_bytes(content)

    try:
        await anyio.to_thread.run_sync(fill)
        yield place
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_remove, base)


def _remove(base: Path) -> None:
    """Removes all of it, also what a command has made read-only; what stays is told, not raised."""

    def again(function: Callable[..., Any], path: str, _: object) -> None:
        for each in (Path(path).parent, Path(path)):
            if each.is_relative_to(base) and each.exists() and not each.is_symlink():
                each.chmod(0o700)
        if function in {os.open, os.scandir, os.lstat}:  # its content could not be listed
            shutil.rmtree(path)
        else:
            function(path)

    try:
        shutil.rmtree(base, onerror=again)
    except OSError as error:
        log.warning("work directory not removed", directory=str(base), error=str(error))
