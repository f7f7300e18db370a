"""The loop is killed: no process outlives it, and the next start deletes what it had registered."""

import os
import random
import signal
import time
from pathlib import Path

import anyio
import pytest

from tests.account import unique
from tests.dev.conftest import NEVER_YIELDS, handlers
from tests.dev.remains import alive, processes_in, registered
from tests.dev.terminal import Terminal, dev, save
from workers.local import LocalStepFunctions

BUSY = """
from workers import Registry

registry = Registry()

def spin(n):
    while True:
        n += 1

@registry.activity('add', process=True)
def add(x: int = 1, y: int = 2):
    print('spins', flush=True)
    spin(x)
"""
OUTLIVES = 2.0


def killed(terminal: Terminal, folder: Path) -> None:
    """Kills the loop; fails when something runs on after two seconds."""
    children = [pid for pid in processes_in(folder) if pid != terminal.pid]
    assert children != []
    os.kill(terminal.pid, signal.SIGKILL)
    deadline = time.monotonic() + OUTLIVES
    while alive(children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert alive(children) == []


@pytest.mark.slow
@pytest.mark.parametrize("code", [NEVER_YIELDS, BUSY], ids=["in the child", "in a process of it"])
async def test_no_child_outlives_the_loop_and_the_next_start_cleans_up(
    folder: Path, engine: LocalStepFunctions, code: str
) -> None:
    namespace = unique("t")
    arguments = ("--machine", "adder.yaml", "--namespace", namespace)
    save(folder / "handlers.py", code)
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("spins")
        killed(terminal, folder)
    assert len(await registered(engine.port, namespace)) == 2
    save(folder / "handlers.py", handlers("return 'cleaned'"))
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("SUCCEEDED", "cleaned")
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_at_ten_moments(folder: Path, engine: LocalStepFunctions) -> None:
    namespace, dice = unique("t"), random.Random(3)
    arguments = ("--machine", "adder.yaml", "--namespace", namespace)
    for _ in range(10):
        save(folder / "handlers.py", handlers("time.sleep(dice(0, 0.4)); return x", head=_HEAD))
        with dev(folder, *arguments, port=engine.port) as terminal:
            terminal.shows("the first run")
            await anyio.sleep(dice.uniform(0, 1.5))
            save(folder / "handlers.py", handlers("time.sleep(dice(0, 0.4)); return y", head=_HEAD))
            await anyio.sleep(dice.uniform(0, 0.6))
            killed(terminal, folder)
    save(folder / "handlers.py", handlers("return 'cleaned'"))
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("SUCCEEDED", "cleaned")
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []


_HEAD = "import time\nfrom random import uniform as dice"
