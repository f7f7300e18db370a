"""Code that does not end by itself holds up neither the next save nor the end of the loop."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.account import unique
from tests.dev.conftest import NEVER_YIELDS, handlers
from tests.dev.remains import processes_in, registered
from tests.dev.terminal import Terminal, dev, save
from workers.local import LocalStepFunctions

NEVER_ENTERED = """
import asyncio
from contextlib import asynccontextmanager
from workers import Registry

@asynccontextmanager
async def lifespan():
    print('enters', flush=True)
    await asyncio.Event().wait()
    yield

registry = Registry(lifespan=lifespan)

@registry.activity('add')
async def add(x: int = 1, y: int = 2):
    return x
"""


@pytest.mark.slow
async def test_a_save_ends_a_handler_that_never_yields(folder: Path, engine: LocalStepFunctions) -> None:
    namespace = unique("t")
    save(folder / "handlers.py", NEVER_YIELDS)
    with dev(folder, "--machine", "adder.yaml", "--namespace", namespace, port=engine.port) as terminal:
        terminal.shows("spins")
        save(folder / "handlers.py", handlers("return 'better'"))
        terminal.shows("handlers.py saved", "SUCCEEDED", '"better"')
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("end", [Terminal.quit, Terminal.interrupt], ids=["q", "Ctrl-C"])
@pytest.mark.parametrize(
    ("code", "shown", "mode"),
    [
        (NEVER_YIELDS, "spins", []),
        (NEVER_ENTERED, "enters", []),
        (NEVER_ENTERED, "enters", ["--standby"]),
    ],
    ids=["a handler", "a lifespan", "a lifespan in standby"],
)
async def test_the_loop_ends_whatever_hangs(
    folder: Path, engine: LocalStepFunctions, code: str, shown: str, mode: list[str], end: Callable[[Terminal], int]
) -> None:
    namespace = unique("t")
    save(folder / "handlers.py", code)
    with dev(folder, "--machine", "adder.yaml", "--namespace", namespace, *mode, port=engine.port) as terminal:
        terminal.shows(shown)
        assert end(terminal) == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []


@pytest.mark.slow
async def test_a_save_takes_the_place_of_code_whose_lifespan_is_never_entered(
    folder: Path, engine: LocalStepFunctions
) -> None:
    namespace = unique("t")
    save(folder / "handlers.py", NEVER_ENTERED)
    arguments = ("--machine", "adder.yaml", "--standby", "--namespace", namespace)
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("enters")
        save(folder / "handlers.py", handlers("return 'better'"))
        terminal.shows("handlers.py saved", "start executions of it anywhere")
        assert terminal.quit() == 0
    assert await registered(engine.port, namespace) == []
    assert processes_in(folder) == []


@pytest.mark.slow
async def test_what_timed_out_is_shown_and_the_next_machine_cannot_run(
    folder: Path, engine: LocalStepFunctions
) -> None:
    save(folder / "handlers.py", NEVER_YIELDS)
    machine = (folder / "adder.yaml").read_text()
    save(folder / "short.yaml", machine.replace("end: true", "timeout_seconds: 1, end: true"))
    arguments = ("--machine", "short.yaml", "--machine", "adder.yaml")
    with dev(folder, *arguments, port=engine.port) as terminal:
        terminal.shows("spins", "TIMED_OUT|FAILED", "did not end its work in 2 s")
        assert terminal.quit() == 0
    assert processes_in(folder) == []
