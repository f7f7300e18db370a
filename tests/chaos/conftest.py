"""An engine of its own for the tests of faults: a process, so that its work does not slow down what stands between."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import WORKERS
from workers.local.engine import environment

_COMMAND = (sys.executable, *WORKERS, "local", "--port", "0", "--poll-hold", "2", "--keep", "100000")


class Engine:
    """`workers local` as a process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, *, through: str | None = None) -> dict[str, str]:
        """The variables that lead AWS's tools to it, or to the proxy whose URL is `through`."""
        return environment(through or self.url)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine of all tests of faults. It holds polls for two seconds."""
    with subprocess.Popen(_COMMAND, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout
            yield Engine(process.stdout.readline().split()[-1])
        finally:
            process.kill()
