"""What people have running: `workers local`, and `workers run` on the example."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.processes import WORKERS
from workers.demo.census import DEFINITION, registry
from workers.local.engine import environment

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/census"
PACKAGES = {"json": 5, "logging": 3, "urllib": 6}
"""What is counted, and how many modules each has."""


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The variables that lead to an engine with a worker."""
    log = tmp_path_factory.mktemp("worker") / "log"
    local = (sys.executable, *WORKERS, "local", "--port", "0", "--poll-hold", "1")
    with subprocess.Popen(local, stdout=subprocess.PIPE, text=True, cwd=ROOT) as engine:
        assert engine.stdout
        url = engine.stdout.readline().split()[-1]
        run = (sys.executable, *WORKERS, "run", "examples.census:registry", "--local")
        port = os.environ | {"WORKERS_LOCAL_PORT": url.rpartition(":")[2]}
        with log.open("wb") as output, subprocess.Popen(run, stderr=output, cwd=ROOT, env=port) as worker:
            try:
                yield environment(url)
            finally:
                worker.send_signal(signal.SIGTERM)
                assert worker.wait() == 0, log.read_text()
                engine.send_signal(signal.SIGTERM)
    assert engine.returncode == 0


@pytest.fixture
def inputs() -> dict[str, str]:
    """The input of an execution for each package."""
    folder = Path(json.__path__[0]).parent
    return {package: json.dumps({"package": package, "folder": str(folder / package)}) for package in PACKAGES}


@pytest.fixture
def activities() -> list[str]:
    """The activities that must exist before an execution asks for them."""
    return [handler.name for handler in registry]


@pytest.fixture
def definition() -> str:
    """The example's state machine."""
    return DEFINITION.read_text()
