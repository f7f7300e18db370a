"""Scripts as commands: each task says in its input which script it is, and real processes run it."""

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account, task, unique
from workers import Worker
from workers.commands.worker import CommandSettings, command_worker

DISPATCH = "import json,os,sys; os.execv('/bin/sh', ['sh', '-c', json.load(sys.stdin)['script'], *sys.argv])"
SCRIPTS = (sys.executable, "-S", "-E", "-c", DISPATCH, "first")
"""Runs the shell script in the key `script` of its stdin; $1 is `first`, $2 the input."""


@dataclass
class Running:
    """A worker of one command, and the account whose tasks it takes."""

    account: Account
    activity: str
    root: Path
    worker: Worker

    async def end(self, script: str | None = None, **input: Any) -> Any:  # noqa: A002
        """Output, or (error, cause), of an execution whose input is `input` with the script."""
        return await self.end_of({"script": script, **input} if script is not None else input)

    async def end_of(self, value: Any) -> Any:
        """The same for any input."""
        found = await self.account.run(task(self.activity), value)
        return (
            json.loads(found["output"]) if found["status"] == "SUCCEEDED" else (found["error"], found.get("cause", ""))
        )


Commands = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def commands(account: Account, tmp_path: Path) -> Commands:
    """`async with commands(*ARGUMENTS, sfncli=…, **settings) as running`."""

    @asynccontextmanager
    async def run(*arguments: str, sfncli: bool = False, **settings: Any) -> AsyncIterator[Running]:
        activity, root = unique("command"), tmp_path / "work"
        asked = CommandSettings(**{"account": "123456789012", "concurrency": 8, **settings})
        worker = command_worker(activity, arguments or SCRIPTS, asked, work_directory=root, sfncli=sfncli)
        async with worker:
            yield Running(account, activity, root, worker)

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "workers-test", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
