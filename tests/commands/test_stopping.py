"""Signals to real `workers exec` processes: the command and all that it started get them, and nothing is left."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account, task, unique
from tests.commands.conftest import SCRIPTS
from tests.commands.test_commands import alive
from tests.processes import Process, workers
from workers.errors import ExitCode
from workers.local import LocalStepFunctions


@dataclass
class Scene:
    account: Account
    process: Process
    activity: str

    async def begin(self, script: str, **fields: Any) -> str:
        """An execution whose script has said on stderr that it is ready."""
        value = {"script": f"{script}", "_EXECUTION_NAME": "one"}
        execution = await self.account.start(task(self.activity, **fields), value)
        await self.process.says("ready")
        return execution

    async def end(self, execution: str) -> Any:
        found = await self.account.ended(execution)
        if found["status"] == "SUCCEEDED":
            return json.loads(found["output"])
        return found["status"] if found["status"] != "FAILED" else found["error"]


Scenes = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def scenes(account: Account, engine: LocalStepFunctions, tmp_path: Path) -> Scenes:
    @asynccontextmanager
    async def scene(*options: str) -> AsyncIterator[Scene]:
        activity = unique("command")
        arguments = ("exec", "--activity", activity, "--account", "123456789012", "--log-format", "json",
                     "--work-directory", str(tmp_path / "work"), *options, "--", *SCRIPTS)  # fmt: skip
        async with workers(*arguments, environment=engine.environment()) as process:
            await process.says("worker started")
            yield Scene(account, process, activity)

    return scene


async def test_59_a_command_that_ends_well_in_the_grace_has_succeeded(scenes: Scenes, tmp_path: Path):
    async with scenes("--sfncli", "--heartbeat", "0.2") as scene:
        trap = "trap 'sleep 2; echo {}; exit 0' TERM; echo ready >&2; sleep 1000 & wait"
        execution = await scene.begin(trap, HeartbeatSeconds=1)  # so beats go on in the grace
        scene.process.send(signal.SIGTERM)
        assert await scene.end(execution) == {"_EXECUTION_NAME": "one"}
        assert await scene.process.ends() == ExitCode.OK
    assert list((tmp_path / "work").iterdir()) == []


async def test_59_sigterm_ends_a_command_as_terminated(scenes: Scenes):
    async with scenes("--sfncli", "--concurrency", "3") as scene:
        first = await scene.begin("echo ready >&2; exec sleep 1000")
        report = 'trap \'echo {\\"error\\": \\"custom\\"}; exit 1\' TERM; echo ready >&2; sleep 1000 & wait'
        custom = await scene.account.start(task(scene.activity), {"script": report, "_EXECUTION_NAME": "two"})
        await scene.process.says("ready", times=2)
        third = await scene.account.start(
            task(scene.activity),
            {"script": "trap 'exit 7' TERM; echo ready >&2; sleep 1000 & wait", "_EXECUTION_NAME": "three"},
        )
        await scene.process.says("ready", times=3)
        scene.process.send(signal.SIGTERM)
        assert [await scene.end(one) for one in (first, custom, third)] == [
            "sfncli.CommandTerminated",
            "custom",
            "sfncli.CommandTerminated",
        ]
        assert await scene.process.ends() == ExitCode.OK


async def test_a_command_that_ignores_sigterm_is_killed_with_its_children(scenes: Scenes, tmp_path: Path):
    pids = tmp_path / "pids"
    script = f"trap '' TERM; echo $$ >> {pids}; sleep 1000 & echo $! >> {pids}; echo ready >&2; wait; sleep 1000"
    async with scenes("--sfncli", "--grace", "1") as scene:
        execution = await scene.begin(script)
        scene.process.send(signal.SIGINT)
        assert await scene.end(execution) == "sfncli.CommandTerminated"
        assert await scene.process.ends() == ExitCode.OK
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


async def test_a_second_signal_kills_at_once(scenes: Scenes, tmp_path: Path):
    script = f"trap '' TERM; echo $$ > {tmp_path / 'pid'}; echo ready >&2; sleep 1000; sleep 1000"
    async with scenes() as scene:
        execution = await scene.begin(script)
        scene.process.send(signal.SIGTERM)
        await scene.process.says("draining")
        scene.process.send(signal.SIGTERM)
        await scene.process.ends()
        assert await scene.end(execution) == "Worker.ShuttingDown"
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_a_closed_task_ends_its_command(scenes: Scenes, tmp_path: Path):
    script = f"trap 'echo told >&2; exit 1' TERM; echo $$ > {tmp_path / 'pid'}; echo ready >&2; sleep 1000 & wait"
    async with scenes("--heartbeat", "0.2") as scene:
        execution = await scene.begin(script)
        await scene.account.client.stop_execution(executionArn=execution)
        await scene.process.says("told")
        await scene.process.says("task closed")
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_59_two_signals_at_once_are_both_forwarded(scenes: Scenes):
    script = "trap 'echo hup >&2' HUP; trap 'echo usr2 >&2' USR2; echo ready >&2; while :; do sleep 0.05; done"
    async with scenes() as scene:
        await scene.begin(script)
        for number in (signal.SIGHUP, signal.SIGUSR2):
            scene.process.send(number)
        await asyncio.gather(scene.process.says("hup"), scene.process.says("usr2"))
        assert scene.process.running
        scene.process.send(signal.SIGTERM)  # which ends the command, too
        assert await scene.process.ends() == ExitCode.OK


@pytest.mark.slow
async def test_1000_tasks_leave_nothing_behind(scenes: Scenes, tmp_path: Path):
    """No process, no file, no descriptor, no thread."""
    scripts = ["echo 1; (sleep 1000 &)", "exit 1", "kill -KILL $$", "sleep 1000 </dev/null >/dev/null 2>&1 & echo 1"]
    async with scenes("--concurrency", "8") as scene:
        machine = task(scene.activity)

        async def batch() -> None:
            await asyncio.gather(*(scene.account.run(machine, {"script": scripts[i % 4]}) for i in range(50)))

        await batch()
        before = Used(scene.process.pid)
        for _ in range(20):
            await batch()
        async with asyncio.timeout(20):
            while not (now := Used(scene.process.pid)).at_most(before):
                await asyncio.sleep(0.1)
        assert now.memory < before.memory * 1.2
        assert scene.process.running
    assert list((tmp_path / "work").iterdir()) == []


class Used:
    """What a process holds: descriptors and threads, its children, what these have left, and its memory in pages."""

    def __init__(self, pid: int) -> None:
        home = Path(f"/proc/{pid}")
        stats = [readable(path) for path in Path("/proc").glob("[0-9]*/stat")]
        self.files = len(list((home / "fd").iterdir()))
        self.threads = len(list((home / "task").iterdir()))
        self.children = sum(f") {state} {pid} " in stat for stat in stats for state in "RSDZT")
        self.left = sum("(sleep)" in stat for stat in stats)
        self.memory = int((home / "statm").read_text().split()[1])

    def at_most(self, other: "Used") -> bool:
        mine, others = ((one.files, one.threads, one.children, one.left) for one in (self, other))
        return all(now <= then + 8 for now, then in zip(mine, others, strict=True))


def readable(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
