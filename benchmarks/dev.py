"""From a save to its result: `workers dev` on its own engine, with a machine of one task whose handlers use pydantic.

Run with `python benchmarks/dev.py [SAVES] [--json]`. Each save changes the constant that the handler returns; between
a result and the next save two seconds pass, as they do at least where somebody thinks.
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
from harness import show
from rich.console import Console

from workers.dev.loop import develop
from workers.dev.plan import Input, Machine, Plan
from workers.dev.round import Result
from workers.dev.view import View
from workers.histories.progress import Progress
from workers.settings import Settings

HANDLERS = """
from pydantic import BaseModel
from workers import Registry

registry = Registry()


class Order(BaseModel):
    amount: int = 1


@registry.activity("add")
async def add(order: Order, /) -> int:
    return {number} * order.amount
"""
MACHINE = "start_at: Add\nstates:\n  Add: {type: task, resource: add, end: true}\n"
PORT = 18_083
PAUSE = 2.0
PARTS = (
    "the save is seen, and a process taken that is ready",
    "the handlers are imported",
    "machine and activity are registered, a task is handed out",
    "the execution ends and is shown",
)


class Timed(View):
    """Notes when each part of a round is over."""

    def __init__(self) -> None:
        super().__init__(Console(file=Path(os.devnull).open("w"), highlight=False))  # noqa: SIM115
        self.laps: list[float] = []
        self.done = anyio.Event()
        self.output: Any = None

    def begin(self, why: str) -> None:
        super().begin(why)
        self.laps = [time.monotonic()]

    def machine(self, name: str, *, several: bool) -> None:
        super().machine(name, several=several)
        self.laps.append(time.monotonic())

    def states(self, progress: Progress) -> None:
        super().states(progress)
        if len(self.laps) == 2:
            self.laps.append(time.monotonic())

    def result(self, result: Result, *, since: float) -> None:
        super().result(result, since=since)
        self.laps.append(time.monotonic())
        self.output = result.execution.output
        self.done.set()


async def measure(saves: int) -> list[list[float]]:
    """Seconds of each part of each round."""
    view, rounds = Timed(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        (folder / "adder.yaml").write_text(MACHINE)
        (folder / "handlers.py").write_text(HANDLERS.format(number=0))
        plan = Plan(
            target="handlers:registry",
            machines=(Machine(folder / "adder.yaml", Input()),),
            settings=Settings(local=True, local_port=PORT),
        )
        async with anyio.create_task_group() as group:
            group.start_soon(develop, plan, view)
            await view.done.wait()
            for number in range(1, saves + 1):
                await anyio.sleep(PAUSE)
                view.done = anyio.Event()
                saved = time.monotonic()
                (folder / "handlers.py").write_text(HANDLERS.format(number=number))
                await view.done.wait()
                assert view.output == number
                times = [saved, *view.laps]
                rounds.append([after - before for before, after in pairwise(times)])
            os.kill(os.getpid(), signal.SIGINT)
        os.chdir("/")
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saves", type=int, nargs="?", default=20, metavar="SAVES")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds = anyio.run(measure, given.saves)
    totals = sorted(map(sum, rounds))
    whole = f"{statistics.median(totals):.3f} s, fastest {totals[0]:.3f}, slowest {totals[-1]:.3f}"
    rows = [{"what": f"development loop, from save to result, median of {len(rounds)}", "shown": whole}]
    for part, *times in zip(PARTS, *rounds, strict=True):
        rows.append({"what": f"development loop: {part}", "shown": f"{statistics.median(times):.3f} s"})
    show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
