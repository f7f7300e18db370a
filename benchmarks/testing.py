"""What tests of whole machines cost: a hundred of them in one pytest run, and one of an hour and a day.

Run: python benchmarks/testing.py [ROUNDS]. The best of ROUNDS (3) counts; exit code 1 where a limit is not held.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 100
HUNDRED_LIMIT = 2.0
"""Seconds that the hundred may add to a run of as many tests that do nothing, with the engine's start."""
HOUR_LIMIT = 0.5
"""Seconds that the test of an hour may take, beside others: the engine has started then."""
HEAD = """
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"

"""
EMPTY = (
    HEAD
    + """

@pytest.mark.parametrize("number", range({runs}))
async def test_nothing(number):
    assert number >= 0
"""
)
HUNDRED = (
    HEAD
    + """
from workers import Registry
from workers.testing import run_machine

registry = Registry()
MACHINE = {{"start_at": "Add", "states": {{"Add": {{"type": "task", "resource": "add", "end": True}}}}}}


@registry.activity("add")
async def add(x: int, y: int) -> int:
    return x + y


@pytest.mark.parametrize("number", range({runs}))
async def test_addition(number):
    assert (await run_machine(MACHINE, registry, {{"x": number, "y": 1}})).output == number + 1
"""
)
HOUR = """
import time
from pathlib import Path


async def test_an_hour_and_a_day():
    machine = {{
        "start_at": "Hour",
        "states": {{
            "Hour": {{"type": "wait", "seconds": 3_600, "next": "Add"}},
            "Add": {{"type": "task", "resource": "add", "timeout_seconds": 86_400, "end": True}},
        }},
    }}
    begun = time.perf_counter()
    run = await run_machine(machine, registry, {{"x": 1, "y": 2}})
    Path("hour").write_text(str(time.perf_counter() - begun))
    assert (run.output, run.seconds >= 3_600) == (3, True)
"""


def pytest_run(folder: Path, code: str, runs: int) -> tuple[float, float]:
    """Wall and CPU seconds of a pytest run, from the start of the process to its end."""
    (folder / "test_machines.py").write_text(code.format(runs=runs))
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", "-pno:cloudcoil"]
    # Bytecode is kept, as it is where a package is installed: the first round, which makes it, does not count.
    kept = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | kept
    begun, used = time.perf_counter(), _used()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun, _used() - used
    if done.returncode or "skipped" in done.stdout:
        sys.exit(done.stdout + done.stderr)
    return took


def _used() -> float:
    """CPU seconds of all processes that were started and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def main(rounds: int) -> int:
    """Prints both; whether a limit is not held."""
    empty, hundred, hour = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for _ in range(rounds):
            empty.append(pytest_run(folder, EMPTY, RUNS))
            hundred.append(pytest_run(folder, HUNDRED, RUNS))
            pytest_run(folder, HUNDRED + HOUR, 1)
            hour.append(float((folder / "hour").read_text()))
    (least, least_cpu), (most, most_cpu) = min(empty), min(hundred)
    added, cpu = most - least, most_cpu - least_cpu
    print(
        f"{RUNS} run_machine in one pytest run: {added:.2f} s more than {least:.2f} s, limit {HUNDRED_LIMIT} s", end=""
    )
    print(f" ({cpu:.2f} s of CPU: where that is much less, the machine was busy)")
    print(f"a Wait of an hour, a timeout of a day: {min(hour):.3f} s, limit {HOUR_LIMIT} s")
    return int(added > HUNDRED_LIMIT or min(hour) > HOUR_LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
