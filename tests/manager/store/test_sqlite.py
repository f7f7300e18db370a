"""What only the store in SQLite has to do with: a file that others hold."""

import sqlite3
from pathlib import Path

import anyio
import pytest

from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import saved
from workers.manager.errors import StoreUnavailableError
from workers.manager.model import Query
from workers.manager.store.choice import open_store
from workers.manager.store.sql import database


async def test_a_file_that_another_process_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "_WAIT", 0.3)
    file = tmp_path / "manager.sqlite"
    async with open_store(f"sqlite:///{file}") as store:
        definition = await store.save_definition(MACHINE)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"):
            await saved(store, definition)
        assert (await store.workflows(Query())).items == ()  # who reads need not wait
        other.execute("ROLLBACK")
        other.close()
        kept = await saved(store, definition)
        assert await store.workflow(kept.id) == kept


async def test_who_is_cancelled_leaves_the_store_whole(tmp_path: Path):
    for url in ("sqlite://", f"sqlite:///{tmp_path}/manager.sqlite"):
        async with open_store(url) as store:
            definition = await store.save_definition(MACHINE)
            for _ in range(20):
                with anyio.move_on_after(0.001):
                    while True:
                        await saved(store, definition)
            found = (await store.workflows(Query(limit=1_000))).items
            assert sum(count.count for count in await store.counts()) == len(found) > 0
