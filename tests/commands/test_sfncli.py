"""Group 59: every case of sfncli's own tests, and those in which it went wrong, with its error names.

Signals to the worker itself are in `test_stopping.py`.
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.commands.conftest import Commands

NAME = "execution-1"


async def test_59_inputs(commands: Commands):
    async with commands(sfncli=True) as running:
        assert (await running.end_of([1]))[0] == "sfncli.TaskInputNotJSON"
        assert (await running.end_of(None))[0] == "sfncli.TaskInputNotJSON"
        assert (await running.end("echo {}"))[0] == "sfncli.TaskInputMissingExecutionName"
        assert (await running.end("echo {}", _EXECUTION_NAME=1))[0] == "sfncli.TaskInputMissingExecutionName"
        script = 'echo \\{\\"variable\\": \\"$_EXECUTION_NAME\\"\\}'
        assert await running.end(script, _EXECUTION_NAME=NAME) == {"variable": NAME, "_EXECUTION_NAME": NAME}


async def test_59_outputs(commands: Commands):
    async with commands(sfncli=True) as running:
        scripts = ["true", "echo noise; echo '{\"a\": 1}'", "echo null", "echo text", "echo '[1]'"]
        empty, last, *wrong = await asyncio.gather(*(running.end(script, _EXECUTION_NAME=NAME) for script in scripts))
        assert empty == {"_EXECUTION_NAME": NAME}
        assert last == {"a": 1, "_EXECUTION_NAME": NAME}
        assert [error for error, _ in wrong] == ["sfncli.TaskOutputNotJSON"] * 3
        assert "'null'" in wrong[0][1]
        script = "head -c 40000 /dev/zero | tr '\\0' a | sed 's/.*/{\"a\": \"&\"}/'"
        assert (await running.end(script, _EXECUTION_NAME=NAME))["a"] == "a" * 40_000


async def test_59_failures(commands: Commands):
    scripts = [
        "echo one >&2; echo two >&2; exit 1",
        "kill -KILL $$",
        "kill -TERM $$",
        "kill -SEGV $$",
        'echo \'{"error": "custom", "cause": "because"}\'; exit 1',
        "yes ü 2>/dev/null | head -c 60000 >&2; exit 1",
    ]
    async with commands(sfncli=True) as running:
        ends = await asyncio.gather(*(running.end(script, _EXECUTION_NAME=NAME) for script in scripts))
    assert ends[0] == ("sfncli.CommandExitedNonzero", "one\ntwo")
    assert [error for error, _ in ends[1:4]] == [
        "sfncli.CommandKilled",
        "sfncli.CommandTerminated",
        "sfncli.Unknown",
    ]
    assert ends[4] == ("custom", "because")
    assert ends[5][1].startswith("[truncated]")
    assert set(ends[5][1].removeprefix("[truncated]").split()) == {"ü"}  # no half character
    assert 30_000 < len(ends[5][1].encode()) <= 32_768


async def test_59_a_command_that_is_not_there_or_may_not_run(commands: Commands, tmp_path: Path):
    command = tmp_path / "command"
    command.write_text("#!/bin/sh\necho {}\n")
    command.chmod(0o755)
    async with commands(str(command), sfncli=True) as running:
        command.write_bytes(b"\x7fELF rubbish")
        assert (await running.end(_EXECUTION_NAME=NAME))[0] == "sfncli.Unknown"
        command.unlink()
        error, cause = await running.end(_EXECUTION_NAME=NAME)
        assert (error, cause) == ("sfncli.CommandNotFound", f"command not found: '{command}'")


async def test_59_a_bare_unknown_command(commands: Commands, tmp_path: Path, monkeypatch):
    command = tmp_path / "bare-command"
    command.write_text("#!/bin/sh\necho {}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    async with commands("bare-command", sfncli=True) as running:
        assert await running.end(_EXECUTION_NAME=NAME) == {"_EXECUTION_NAME": NAME}
        command.unlink()
        error, cause = await running.end(_EXECUTION_NAME=NAME)
        assert (error, cause) == ("sfncli.CommandNotFound", "command not found: 'bare-command'")


async def test_59_work_directories(commands: Commands):
    async with commands(sfncli=True) as running:
        script = 'touch $WORK_DIR/file; echo \\{\\"here\\": \\"$WORK_DIR\\"\\}; exit $CODE'
        for code in (0, 1):
            ended = await running.end(script.replace("$CODE", str(code)), _EXECUTION_NAME=NAME)
            assert ended[0] == "sfncli.CommandExitedNonzero" if code else Path(ended["here"]).name == "work"
            assert list(running.root.iterdir()) == []


async def test_59_arguments_come_before_the_input(commands: Commands):
    show = "import json,sys; print(json.dumps({'arguments': sys.argv[1:]}))"
    async with commands(sys.executable, "-c", show, "one", "two", sfncli=True) as running:
        ended = await running.end(_EXECUTION_NAME=NAME, n=10**30)
        assert ended["arguments"][:2] == ["one", "two"]
        assert json.loads(ended["arguments"][2]) == {"_EXECUTION_NAME": NAME, "n": 10**30}
