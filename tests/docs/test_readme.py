"""The README: its commands run, its code works, its links lead somewhere."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.account import unique
from tests.docs.readme import README, ROOT, blocks, commands
from tests.docs.test_docs import anchors
from tests.docs.test_shell import play
from tests.processes import workers
from workers.cli.main import cli
from workers.local import LocalStepFunctions
from workers.local.engine import environment


def test_every_link_leads_to_a_file() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README)
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []
    for page, anchor in re.findall(r"\]\(([\w/.-]+\.md)#([^)]+)", README):
        assert anchor in anchors(ROOT / page)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("command", commands("make"))
def test_make_knows_its_targets(command: str) -> None:
    done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_pages_and_make_say_the_same_of_how_long_tests_take() -> None:
    quick, slow = re.findall(r"make test\S* +the .+?, in (.+ minutes)", (ROOT / "Makefile").read_text())
    for page in (README, (ROOT / "CONTRIBUTING.md").read_text()):
        assert re.findall(r"\b(\w+ minutes) more", page) == [slow]
        assert f"the tests: {quick}" in page


def test_ci_runs_the_test_command() -> None:
    steps = set(re.findall(r"^step (.+?)(?: +#.*)?$", (ROOT / ".ci/run").read_text(), flags=re.MULTILINE))
    rules = re.findall(r"^([\w-]+): (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    run = steps | {f"make {first}" for target, needs in rules if f"make {target}" in steps for first in needs.split()}
    assert {"make demo", "make test"} <= set(commands("make")) <= run


def test_the_commands_of_workers_exist() -> None:
    context = cli.make_context("workers", ["local"])
    for line in commands("workers"):
        assert cli.get_command(context, line.split()[1]), line


async def test_the_worker_of_your_own_works(
    engine: LocalStepFunctions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, name in (("python", "handlers.py"), ("yaml", "adder.yaml")):
        (text,) = (block for block in blocks(language) if block.startswith(f"# {name}\n"))
        (tmp_path / name).write_text(text)
    worker = next(line for line in commands("workers") if line.endswith("handlers:registry --local"))
    put = next(line for line in commands("workers") if line.startswith("workers machines put adder.yaml"))
    start = next(line for line in commands("workers") if line.startswith("workers executions start adder "))
    assert "--wait" in start
    monkeypatch.setenv("WORKERS_NAMESPACE", space := unique("readme"))
    printed = (await play(f"{put}\n{worker} &\n{start}\n", tmp_path, engine)).splitlines()
    assert printed[:2] == [f"activity {space}--add: created", f"state machine {space}--adder: created"]
    assert "3" in printed


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_census_by_hand_works() -> None:
    port = free_port()
    local, run, example = (
        "workers local",
        "workers run examples.census:registry --local",
        "python examples/census.py json",
    )
    assert {local, run, example} <= {*commands("workers"), *commands("python")}
    found = {"WORKERS_LOCAL_PORT": str(port)}
    async with workers(*local.split()[1:], environment=found):
        await listens(port)
        async with workers(*run.split()[1:], environment=found):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *example.split()[1:],
                cwd=ROOT,
                env={**os.environ, **environment(f"http://127.0.0.1:{port}")},
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
    first, _, rest = output.decode().partition("\n")
    assert process.returncode == 0, output
    assert first.endswith("SUCCEEDED")
    assert json.loads(rest)["totals"]["package"] == "json"


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def listens(port: int) -> None:
    """Waits until somebody does."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
