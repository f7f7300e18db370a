"""`workers exec` as a process: what its commands print goes to its own stdout and stderr."""

from pathlib import Path

import pytest

from tests.account import Account, task, unique
from tests.commands.conftest import SCRIPTS
from tests.processes import workers
from workers.local import LocalStepFunctions


async def test_stdout_and_stderr_of_commands_are_passed_through(
    account: Account, engine: LocalStepFunctions, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    activity = unique("command")
    arguments = ("exec", "--activity", activity, "--account", "123456789012", "--log-format", "json",
                 "--work-directory", str(tmp_path / "work"), "--", *SCRIPTS)  # fmt: skip
    async with workers(*arguments, environment=engine.environment()) as process:
        await process.says("worker started")
        for number in range(2):
            script = f"echo to stdout {number}; echo to stderr {number} >&2; printf {number}"
            assert await account.output(task(activity), {"script": script}) == number
            await process.says(f"to stderr {number}")
    assert capfd.readouterr().out.splitlines() == ["to stdout 0", "0", "to stdout 1", "1"]
