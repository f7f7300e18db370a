"""A process that writes statuses to one workflow as fast as it can, in an order of its own; for `test_writers.py`.

What was taken is printed: revision, redrive count and status of each.
"""

import json
import random
import sys

import anyio

from workers.manager.errors import TerminalStatusError
from workers.manager.model import Change, Status
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Store

REDRIVES = 4
"""Runs of an execution: it fails so often, and succeeds in the last one."""


def statuses(rounds: int) -> list[tuple[int, Status]]:
    """What Step Functions says of such an execution in the course of time, each of it several times."""
    found = [(0, Status.QUEUED)]
    for redrive in range(REDRIVES + 1):
        found += [(redrive, Status.RUNNING), (redrive, Status.FAILED if redrive < REDRIVES else Status.SUCCEEDED)]
    return found * rounds


async def write(store: Store, workflow_id: str, seed: int, rounds: int) -> list[tuple[int, int, str]]:
    """Writes all of them, shuffled; returns those that were taken."""
    taken = []
    said = statuses(rounds)
    random.Random(seed).shuffle(said)
    for redrive, status in said:
        try:
            kept = await store.update_workflow(workflow_id, Change(status=status, redrive_count=redrive))
        except TerminalStatusError:
            continue
        taken.append((kept.revision, kept.redrive_count, str(kept.status)))
        assert (kept.redrive_count, kept.status) == (redrive, status)
    return taken


async def main(url: str, workflow_id: str, seed: int) -> None:
    async with open_store(url) as store:
        print(json.dumps(await write(store, workflow_id, seed, rounds=3)))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
