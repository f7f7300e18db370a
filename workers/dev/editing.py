"""The inputs of the machines in the user's editor."""

import asyncio
import json
import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from workers.dev.plan import Machine
from workers.errors import UsageError


async def edit(machines: Sequence[Machine]) -> bool:
    """Opens the inputs of all `machines` in $VISUAL, $EDITOR or vi, until it is left.

    Returns whether an input that is no file of the user's was there to edit: the save of a file tells so itself.
    Raises `UsageError`, and all inputs stay as they were, where there is no such editor or no JSON is left.
    """
    with tempfile.TemporaryDirectory(prefix="workers-dev-") as folder:
        files = [m.input.file or _write(m, Path(folder), number) for number, m in enumerate(machines, 1)]
        await _in_editor(files)
        typed = [(machine, file) for machine, file in zip(machines, files, strict=True) if machine.input.file is None]
        values = [_read(machine, file) for machine, file in typed]
    for (machine, _), value in zip(typed, values, strict=True):
        machine.input.value = value
    return bool(typed)


def _write(machine: Machine, folder: Path, number: int) -> Path:
    file = folder / f"{machine.name}-{number}.json"
    file.write_text(json.dumps(machine.input.value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


async def _in_editor(files: list[Path]) -> None:
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        process = await asyncio.create_subprocess_exec(*editor, *map(str, files))
    except OSError as error:
        raise UsageError(f"the editor {editor[0]} cannot be started: {error.strerror}") from None
    await process.wait()


def _read(machine: Machine, file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the input of {machine.name} stays as it was: that is no JSON: {error}") from None
