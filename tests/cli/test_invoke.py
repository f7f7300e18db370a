"""`workers invoke` and `workers replay`."""

import json
import sys
from pathlib import Path

import anyio
import pexpect
import pytest

from tests.account import Account, task, unique
from tests.cli.commands import Line
from tests.processes import WORKERS
from workers import Registry, Settings, Worker
from workers.local import LocalStepFunctions

HANDLERS = """
from workers import Registry, ActivityError

registry = Registry()

@registry.activity("add")
def add(x: int, y: int = 1) -> int:
    if x > 5:
        raise ValueError("too large")
    return x + y

@registry.activity("decline")
async def decline():
    raise ActivityError("Card.Declined", cause={"code": 5})
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of handlers, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "handlers", raising=False)
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return tmp_path


@pytest.mark.parametrize("given", ['{"x": 2}', "input.json"])
def test_a_handler_is_run_on_an_input(given: str, handlers: Path, line: Line) -> None:
    (handlers / "input.json").write_text('{"x": 2}')
    assert line.ok("invoke", "handlers:registry", "add", "--input", given).json == 3


def test_a_failure_is_shown_with_the_users_own_lines(handlers: Path, line: Line) -> None:
    said = line("invoke", "handlers:registry", "add", "--input", '{"x": 6}')
    assert (said.code, said.out) == (1, "")
    assert f'File "{handlers}/handlers.py", line 9, in add\n    raise ValueError("too large")' in said.err
    assert said.err.endswith("The task would fail as ValueError.\n")
    assert "asyncio" not in said.err


def test_what_does_not_fit_is_one_line(handlers: Path, line: Line) -> None:
    said = line("invoke", "handlers:registry", "add")
    assert said.code == 1
    assert said.err == (
        "the input of activity add does not fit: x: Field required\nThe task would fail as Worker.InvalidInput.\n"
    )


def test_a_cause_of_ones_own_is_shown_as_it_is(handlers: Path, line: Line) -> None:
    said = line("invoke", "handlers:registry", "decline")
    assert said.err == '{"code": 5}\nThe task would fail as Card.Declined.\n'


def test_bad_input_is_one_line(handlers: Path, line: Line) -> None:
    assert line.refused("invoke", "handlers:registry", "subtract") == (
        "no handler is registered for activity 'subtract'; registered: add, decline"
    )
    assert "neither JSON" in line.refused("invoke", "handlers:registry", "add", "--input", "{x: 1}")
    (handlers / "broken.json").write_text("{")
    assert "broken.json is no JSON" in line.refused("invoke", "handlers:registry", "add", "--input", "broken.json")
    assert "s3" in line.refused("invoke", "handlers:registry", "add", "--payloads", "ftp://x")


async def failed_execution(account: Account, handlers: Path) -> str:
    """The ARN of an execution whose only state has failed, on the input {"x": 3}."""
    name, registry = unique("add"), Registry()

    @registry.activity(name)
    async def add(x: int) -> int:
        raise RuntimeError("the code in production")

    definition = task(name)
    async with Worker(registry, Settings(grace=5)):
        execution = await account.start(definition, {"x": 3})
        await account.ended(execution)
    rewrite(handlers, '"add"', json.dumps(name))
    return execution


def rewrite(handlers: Path, old: str, new: str) -> None:
    """Changes the code on the laptop."""
    file = handlers / "handlers.py"
    file.write_text(file.read_text().replace(old, new))


async def test_a_failed_state_is_replayed(account: Account, handlers: Path, local: LocalStepFunctions) -> None:
    execution = await failed_execution(account, handlers)
    with pexpect.spawn(
        sys.executable, [*WORKERS, "replay", execution], cwd=handlers, encoding="utf-8", timeout=30
    ) as terminal:
        terminal.expect("State Work, which failed as RuntimeError: its handler add-[0-9a-f]+, once more")
        terminal.expect("\n4\r\n")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0


async def test_a_state_that_did_not_fail_is_replayed_by_its_name(
    account: Account, handlers: Path, local: LocalStepFunctions
) -> None:
    name, registry = unique("add"), Registry()

    @registry.activity(name)
    async def add(x: int) -> int:
        return x

    first = {**task(name)["States"]["Work"], "Next": "Last"}
    first.pop("End")
    async with Worker(registry, Settings(grace=5)):
        execution = await account.start(
            {"StartAt": "First", "States": {"First": first, "Last": {"Type": "Fail"}}}, {"x": 3}
        )
        await account.ended(execution)
    rewrite(handlers, '"add"', json.dumps(name))
    arguments = [sys.executable, *WORKERS, "replay", execution]
    said = await anyio.run_process(arguments, cwd=handlers, check=False)
    assert (said.returncode, said.stdout) == (2, b"")
    assert "name a state: activities ran in First" in said.stderr.decode()
    said = await anyio.run_process([*arguments, "--state", "First"], cwd=handlers)
    assert (said.stdout, "State First" in said.stderr.decode()) == (b"4\n", True)


async def test_the_debugger_opens_where_the_handler_fails(
    account: Account, handlers: Path, local: LocalStepFunctions
) -> None:
    execution = await failed_execution(account, handlers)
    rewrite(handlers, "x > 5", "x == 3")
    arguments = [*WORKERS, "replay", execution, "--pdb"]
    with pexpect.spawn(sys.executable, arguments, cwd=handlers, encoding="utf-8", timeout=30) as terminal:
        terminal.expect("The task would fail as ValueError")
        terminal.expect(r"\(Pdb\)")
        terminal.sendline("p x, y")
        terminal.expect(r"\(3, 1\)")
        terminal.sendline("q")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 1
