"""Many writers at once: a redrive opens a workflow that has ended, and nothing else does."""

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from tests.manager.store.conftest import MACHINE, database
from tests.manager.store.workflows import made, saved
from tests.manager.store.writing import REDRIVES, write
from workers.manager.errors import RevisionError
from workers.manager.model import Status, Workflow, WorkflowDefinition
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Guard, Store

Taken = list[tuple[int, int, str]]


def check(taken: Taken, last: Workflow) -> None:
    """Whether what was taken, in the order of its revisions, never went back."""
    taken.sort()
    revisions = [revision for revision, _, _ in taken]
    assert revisions == list(range(2, len(taken) + 2))
    order = [(redrive, Status(status).rank) for _, redrive, status in taken]
    assert order == sorted(order)
    opened = sum(before == 2 and after < 2 for (_, before), (_, after) in pairwise(order))
    redrives = sum(before < after for (before, _), (after, _) in pairwise(order))
    assert opened <= redrives <= REDRIVES
    assert (last.redrive_count, last.status) == (REDRIVES, Status.SUCCEEDED)
    assert last.revision == revisions[-1]


async def test_many_tasks_write_one_workflow(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition)
    taken: Taken = []

    async def writer(seed: int) -> None:
        taken.extend(await write(store, kept.id, seed, rounds=1))

    async with anyio.create_task_group() as group:
        for seed in range(8):
            group.start_soon(writer, seed)
    check(taken, await store.workflow(kept.id))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_many_processes_write_one_workflow(request: pytest.FixtureRequest, kind: str, tmp_path: Path):
    url = database(request, kind, tmp_path)
    async with open_store(url) as store:
        kept = await saved(store, await store.save_definition(MACHINE))
        writers = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.manager.store.writing", url, kept.id, str(seed),
                stdout=asyncio.subprocess.PIPE,
            )
            for seed in range(4)
        ]  # fmt: skip
        said = [await writer.communicate() for writer in writers]
        assert [writer.returncode for writer in writers] == [0] * 4
        check([tuple(one) for out, _ in said for one in json.loads(out)], await store.workflow(kept.id))


async def test_of_many_who_read_the_same_one_resumes(store: Store, definition: WorkflowDefinition):
    root = await saved(store, definition)
    guard = Guard(root.id, root.revision)
    made_ids: list[str] = []

    async def resume() -> None:
        try:
            made_ids.append((await store.save_workflow(made(definition, retry_for=root.id), guard=guard)).id)
        except RevisionError:
            return

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(resume)
    assert len(made_ids) == 1
    assert (await store.workflow(root.id)).retries == tuple(made_ids)
