"""The commands that serve the page, and those that lead to it."""

import asyncio
import os
import shlex
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import aiohttp
import pytest

from tests.account import unique
from tests.web.execution.endpoint import Endpoint

PASSES = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


async def workers(*arguments: str, **environment: str) -> Process:
    """A `workers` command as a process."""
    program = [sys.executable, "-m", "workers", *arguments]
    return await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment})


async def until(process: Process, beginning: str) -> list[str]:
    """The lines that a process prints, up to the first that begins so."""
    lines: list[str] = []
    assert process.stdout
    while not lines or not lines[-1].startswith(beginning):
        line = (await process.stdout.readline()).decode()
        assert line, lines
        lines.append(line.rstrip())
    return lines


async def status(address: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(address) as said:
        return said.status


@pytest.mark.slow
async def test_an_execution_is_opened_on_a_page_for_the_occasion_or_on_the_one_that_is_known(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    execution = await endpoint.start(PASSES)
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{shlex.quote(str(seen))}\n')
    browser.chmod(0o755)
    where = ["--local", "--local-port", str(endpoint.account.settings.local_port)]

    process = await workers("executions", "show", execution, "--open", *where, BROWSER=str(browser))
    address, _ = await until(process, "Ctrl-C ends the page")
    assert address.endswith(execution)
    assert await status(address) == 200
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0

    known = {"WORKERS_EXECUTIONS_UI": f"{endpoint.url}/", "BROWSER": str(browser)}
    process = await workers("executions", "show", execution, "--open", *where, **known)
    assert await process.wait() == 0
    assert seen.read_text().split() == [address, endpoint.page(execution)]
    process = await workers("executions", "show", execution, *where, **known)
    out, _ = await process.communicate()
    assert f"page       {endpoint.page(execution)}" in out.decode()


async def test_the_embedded_engine_serves_the_page_beside_itself() -> None:
    process = await workers("local", "--ui", "--port", "0", "--ui-port", "0")
    lines = await until(process, "export WORKERS_EXECUTIONS_UI=")
    page = lines[-1].partition("=")[2]
    assert f"workers local: web page at {page}" in lines
    assert await status(f"{page}/") == 200
    assert await status(f"{page}/executions/{unique('nonsense')}") == 400
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
