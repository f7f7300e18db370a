"""Commands as activities: what they are given, and what becomes of what they write and how they end."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Commands
from workers.commands.worker import CommandSettings, command_worker
from workers.errors import UsageError

SHOW = """
import json, os, sys
print(json.dumps([sys.argv[1:], sys.stdin.read(), open(os.environ["INPUT_FILE"]).read()]))
"""
SIZES = """
import json, os, sys
(argument,) = sys.argv[1:]
named = argument if argument[0] == "{" else open(argument[1:]).read()
print(json.dumps([argument[0], len(named), len(sys.stdin.read()), os.path.getsize(os.environ["INPUT_FILE"])]))
"""


async def test_the_input_is_the_last_argument_and_stdin_and_a_file(commands: Commands):
    async with commands(sys.executable, "-c", SHOW, "--fast") as running:
        value = {"ö": "ü\u0000\"'`$(touch /tmp/x)", "number": 12345678901234567890}
        arguments, stdin, file = await running.end_of(value)
        assert arguments[0] == "--fast"
        assert json.loads(arguments[1]) == json.loads(stdin) == json.loads(file) == value
        arguments, stdin, _ = await running.end_of(None)
        assert arguments == ["--fast", "null"]


async def test_an_input_too_large_for_an_argument_is_named_as_a_file(commands: Commands):
    fits, too_large = {"big": "x" * 131_061}, {"big": "x" * 131_062}
    async with commands(sys.executable, "-c", SIZES) as running:
        assert await running.end_of(fits) == ["{", 131_071, 131_071, 131_071]
        assert await running.end_of(too_large) == ["@", 131_072, 131_072, 131_072]


RESULTS: dict[str, Any] = {
    "echo noise; echo '{\"a\": 1}'": {"a": 1},
    "printf 'noise\\n[1, 2]'": [1, 2],
    "printf '  7 \\r\\n\\n   \\n'": 7,
    "true": None,
    "echo null": None,
    "printf '\\377\\376\\n\"after garbage\"\\n'": "after garbage",
}


async def test_the_result_is_the_last_line_of_stdout(commands: Commands):
    async with commands() as running:
        found = await asyncio.gather(*(running.end(script) for script in RESULTS))
    assert found == list(RESULTS.values())


async def test_a_last_line_of_40_kb(commands: Commands):
    async with commands() as running:
        result = await running.end("echo first; head -c 40000 /dev/zero | tr '\\0' a | sed 's/.*/\"&\"/'")
        assert result == "a" * 40_000


async def test_what_is_no_json_fails(commands: Commands):
    async with commands() as running:
        ends = await asyncio.gather(
            running.end("echo done"),
            running.end("head -c 300000 /dev/urandom | tr -d '\\n{}'; echo"),
            running.end("printf '\\377'"),
            running.end("echo NaN"),
            running.end("head -c 17000000 /dev/zero | tr '\\0' 1"),
            running.end("head -c 300000 /dev/zero | tr '\\0' a | sed 's/.*/\"&\"/'"),
        )
    names = [error for error, _ in ends]
    assert names == ["Worker.InvalidOutput"] * 4 + ["Worker.OutputTooLarge"] * 2
    assert "'done'" in ends[0][1]
    assert "UTF-8" in ends[2][1]


async def test_failures_have_the_name_of_their_kind_and_the_end_of_stderr(commands: Commands):
    async with commands() as running:
        ends = await asyncio.gather(
            running.end("echo '[1]'; echo one >&2; echo two >&2; exit 3"),
            running.end("kill -KILL $$"),
            running.end("kill -TERM $$"),
            running.end("kill -SEGV $$"),
            running.end("for i in $(seq 20000); do echo 'line ü'$i; done >&2; exit 1"),
            running.end("head -c 50000 /dev/urandom >&2; exit 1"),
        )
    assert ends[0] == ("Worker.CommandFailed", "exit code 3\none\ntwo")
    assert ends[1:4] == [
        ("Worker.CommandKilled", "ended by SIGKILL"),
        ("Worker.CommandKilled", "ended by SIGTERM"),
        ("Worker.CommandKilled", "ended by SIGSEGV"),
    ]
    assert ends[4][1].startswith("exit code 1\n[truncated] ")
    assert ends[4][1].endswith("line ü20000")
    assert all(len(cause.encode()) <= 32_768 for _, cause in ends)


async def test_a_command_may_name_its_error_and_cause(commands: Commands):
    async with commands() as running:
        assert await running.end('echo \'{"error": "Mine", "cause": "text"}\'; exit 1') == ("Mine", "text")
        name, cause = await running.end('echo \'{"error": "Mine", "cause": {"a": [1]}}\'; exit 1')
        assert (name, json.loads(cause)) == ("Mine", {"a": [1]})
        assert await running.end('echo \'{"error": "Mine"}\'; exit 1') == ("Mine", "")
        assert await running.end('echo \'{"error": "no failure"}\'') == {"error": "no failure"}
        assert (await running.end('echo \'{"error": ""}\'; exit 1'))[0] == "Worker.CommandFailed"


async def test_what_cannot_be_started_says_why(commands: Commands, tmp_path: Path):
    command = tmp_path / "command"
    command.write_text("#!/no/such/interpreter\n")
    command.chmod(0o755)
    async with commands(str(command)) as running:
        error, cause = await running.end()
        assert (error, "No such file" in cause) == ("Worker.CommandNotStarted", True)
        command.write_bytes(b"\x7fELF rubbish")
        assert (await running.end())[0] == "Worker.CommandNotStarted"
        command.unlink()
        assert await running.end() == ("Worker.CommandNotFound", f"command not found: '{command}'")


def test_a_worker_without_its_command_or_its_place_does_not_start(tmp_path: Path):
    with pytest.raises(UsageError, match="no command 'nothing-like-it'"):
        command_worker("a", ["nothing-like-it"], CommandSettings(), work_directory=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no work directory can be made in"):
        command_worker("a", ["true"], CommandSettings(), work_directory=tmp_path / "file")


async def test_each_task_has_a_fresh_directory_that_is_removed(commands: Commands):
    script = (
        'cd $WORK_DIR; ls | wc -l; mkdir -p a/b; echo hi > a/b/c; ln -s /etc link; chmod 0 a/b a; echo \\"$WORK_DIR\\"'
    )
    async with commands() as running:
        ends = await asyncio.gather(*(running.end(script + (f"; exit {i % 2}")) for i in range(4)))
        done = {end for end in ends if isinstance(end, str)}
        assert len(done) == 2
        assert all(Path(found).is_relative_to(running.root) for found in done)
        assert content(running.root) == []
        assert await running.end("ls $WORK_DIR | wc -l") == 0


async def test_a_full_disk_fails_the_task_and_is_emptied(commands: Commands, small_disk: Path):
    async with commands() as running:
        running.root.rmdir()
        running.root.symlink_to(small_disk)
        error, cause = await running.end("cat /dev/zero > $WORK_DIR/zeros || { echo full >&2; exit 28; }")
        assert (error, "full" in cause) == ("Worker.CommandFailed", True)
        assert content(small_disk) == []
        assert await running.end("echo 1") == 1
        with pytest.raises(OSError, match="No space"):
            (small_disk / "zeros").write_bytes(b"0" * 1_000_000)
        error, cause = await running.end("echo 1")
        assert (error, "No space left" in cause) == ("Worker.CommandNotStarted", True)
        assert content(small_disk) == ["zeros"]


async def test_grandchildren_end_with_their_command(commands: Commands, tmp_path: Path):
    pids = tmp_path / "pids"
    left = f"(trap '' TERM; sleep 1000 & echo $! >> {pids}; wait) & echo $! >> {pids}; sleep 0.1"
    silent = f"({left}) >/dev/null 2>&1 </dev/null; echo 1"
    async with commands() as running:
        assert await running.end(silent) == 1
        assert await running.end(f"{left}; echo 2") == 2  # these hold stdout open
        assert await running.end(f"setsid sleep 5 & echo $! >> {pids}.daemon; echo 3") == 3  # one that has left
        assert await running.end("yes '\"noise\"' & sleep 0.1") == "noise"  # one that does not stop writing
        assert await running.end("(sleep 0.3; echo 4) &") == 4  # what comes late is still heard
    assert [pid for pid in numbers(pids) if alive(pid)] == []
    (daemon,) = numbers(Path(f"{pids}.daemon"))
    assert alive(daemon)
    os.kill(daemon, 9)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def content(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def numbers(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()]
