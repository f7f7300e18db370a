"""`workers demo` as people run it."""

import asyncio
import io
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from rich.console import Console

from workers.demo.census import DEFINITION
from workers.demo.demo import demo
from workers.errors import ExitCode


async def start(*options: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workers",
        "demo",
        *options,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_it_works_and_tells_what_happened_whatever_the_environment_says() -> None:
    process = await start(AWS_PROFILE="of-somebody", WORKERS_NAMESPACE="theirs", WORKERS_CONCURRENCY="many")
    output, errors = await process.communicate()
    text = output.decode()
    assert (process.returncode, errors) == (0, b""), text
    assert "\x1b" not in text, "colours are for terminals"
    for part in (
        "13 of 13 packages",
        " asyncio  ",
        " all  ",
        "census-count failed: Unreadable",
        "retried after 1.0 s",
        "caught, on to Leave out",
        "Conclude  Parallel, 2 branches",
        "13 executions succeeded",
        "ended with exit code 0",
    ):
        assert part in text


async def test_ctrl_c_stops_what_it_started() -> None:
    process = await start()
    assert process.stdout
    line = b""
    while not line.startswith(b"Worker"):
        line = await process.stdout.readline()
        assert line, "it ended before it had started the worker"
    worker = int(line.split()[2].rstrip(b":"))
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_a_failing_execution_is_told_and_gives_exit_code_1(tmp_path: Path) -> None:
    failing = tmp_path / "failing.asl.json"
    failing.write_text(
        DEFINITION.read_text()
        .replace('"NumericGreaterThanEquals": 1000', '"StringEquals": "no"')
        .replace('"Counted": { "Type": "Succeed" }', '"Counted": { "Type": "Fail", "Error": "Bad", "Cause": "luck" }')
    )
    told = io.StringIO()
    assert await demo(Console(file=told, width=100), definition=failing) == ExitCode.FAULT
    assert re.search(r"failed: execution logging-damaged FAILED in state \w+: Bad: luck", told.getvalue())


async def test_a_worker_that_ends_by_itself_is_told_and_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 100, "End": True}}}
    definition = tmp_path / "waiting.asl.json"
    definition.write_text(json.dumps(waiting))
    monkeypatch.setattr("workers.demo.demo.REGISTRY", "workers.demo.census:nothing")
    told = io.StringIO()
    assert await demo(Console(file=told, width=100), definition=definition) == ExitCode.FAULT
    assert "The worker ended by itself with exit code 2" in told.getvalue()
    assert "has no attribute 'nothing'" in told.getvalue()


async def test_without_the_engine_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['jsonata'] = None")
    process = await start(PYTHONPATH=str(tmp_path))
    output, errors = await process.communicate()
    assert process.returncode == ExitCode.USAGE
    assert output == b""
    assert errors.decode().splitlines() == [
        "workers: the embedded Step Functions needs packages that are not installed: pip install 'sfn-workers[local]'"
    ]
