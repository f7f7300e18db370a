"""What nobody expected ends a command with exit code 1, and is shown once, in lines that a person can read."""

from pathlib import Path

import pytest

from tests.account import unique
from tests.cli.commands import Line
from tests.processes import workers
from workers.cli.faults import fault_report
from workers.local import LocalStepFunctions

BROKEN_PART = """
from workers import Registry
from workers.supervisor.tasks.heartbeats import Heartbeats

registry = Registry()
registry.add("work", lambda event, /: event)

async def run(self):
    raise RuntimeError("no beat left")

Heartbeats.run = run
"""
BROKEN_LIFESPAN = """
from contextlib import asynccontextmanager
from workers import Registry

@asynccontextmanager
async def lifespan():
    try:
        {}["database"]
    except KeyError as error:
        raise ConnectionError("no database") from error
    yield

registry = Registry(lifespan=lifespan)
registry.add("work", lambda event, /: event)
"""
MACHINERY = ("/click/", "/anyio/", "/asyncio/", "uvloop", "contextlib", "ExceptionGroup")


async def said_by(engine: LocalStepFunctions, folder: Path, handlers: str) -> list[str]:
    """The lines of a worker of `handlers` that ends with exit code 1."""
    module = f"handlers_{unique('x').replace('-', '_')}"
    (folder / f"{module}.py").write_text(handlers)
    environment = {**engine.environment(), "PYTHONPATH": str(folder)}
    options = ("--namespace", unique("faults"), "--account", "123456789012", "--log-format", "json")
    async with workers("run", f"{module}:registry", *options, environment=environment) as process:
        assert await process.ends() == 1
        await process.remove()
        return process.log().splitlines()


async def test_a_part_of_the_worker_that_dies(engine: LocalStepFunctions, tmp_path: Path) -> None:
    lines = await said_by(engine, tmp_path, BROKEN_PART)
    (logged,) = [line for line in lines if "a part of the worker broke; draining" in line]
    assert "heartbeats" in logged
    assert "in run" in logged
    assert "\n".join(lines).count("no beat left") == logged.count("no beat left") + 1
    assert "workers: heartbeats broke, RuntimeError: no beat left. The log says where" in lines[-1]
    assert "ExceptionGroup" not in "\n".join(lines)


async def test_a_lifespan_that_fails(engine: LocalStepFunctions, tmp_path: Path) -> None:
    said = "\n".join(await said_by(engine, tmp_path, BROKEN_LIFESPAN))
    assert "workers: stopped by an error that nobody expected:" in said
    assert "ConnectionError: no database" in said
    assert "KeyError: 'database'" in said
    assert said.count("no database") == 2  # the message, and the line that raised it
    assert not [name for name in MACHINERY if name in said]


def test_each_error_of_a_group_is_shown() -> None:
    def failing(text: str) -> Exception:
        try:
            int(text)
        except ValueError as error:
            return error
        raise AssertionError(text)

    group = ExceptionGroup("some", [failing("first"), ExceptionGroup("inner", [failing("second")])])
    report = fault_report(group)
    assert report.count("Traceback") == 2
    assert "invalid literal for int() with base 10: 'first'" in report
    assert "'second'" in report
    assert "Group" not in report


@pytest.mark.parametrize("error", [ValueError("plain"), KeyboardInterrupt(), ExceptionGroup("g", [OSError(5, "x")])])
def test_an_error_without_a_stack_is_shown(error: BaseException) -> None:
    assert "Traceback" not in fault_report(error)


def test_an_error_in_any_command_is_no_long_traceback(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("lost")

    monkeypatch.setattr("workers.cli.run.show_settings", broken)
    said = line("run", "handlers:registry", "--print-settings")
    assert said.code == 1
    assert said.err.splitlines()[-1] == "LookupError: lost"
    assert not [name for name in MACHINERY if name in said.err]
