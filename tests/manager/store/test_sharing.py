"""Several who write to one SQLite at once share a transaction: each is kept whole or not at all, and is told so."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import ConflictError
from workers.manager.store.sql import database
from workers.manager.store.sql.database import Database

_NO_WORKFLOW = "INSERT INTO part (whole) VALUES (7)"
_LARGE = "INSERT INTO whole (text) VALUES (hex(zeroblob(1000000)))"


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/shared.sqlite")
    async with found.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE whole (id INTEGER PRIMARY KEY, text TEXT)")
        await connection.exec_driver_sql("CREATE TABLE part (whole INTEGER REFERENCES whole (id))")
    yield found
    await found.close()


def _refuse(name: str) -> None:
    raise ConflictError(name)


class Writers:
    """Writers that come while the first one is in its transaction."""

    def __init__(self, shared: Database) -> None:
        self._shared = shared
        self.said: dict[str, str] = {}
        """What became of each."""

    async def write(self, name: str, *statements: str, refused: bool = False) -> None:
        try:
            async with self._shared.write() as connection:
                await connection.exec_driver_sql("INSERT INTO whole (text) VALUES (?)", (name,))
                for statement in statements:
                    await connection.exec_driver_sql(statement)
                if refused:
                    _refuse(name)
        except Exception as error:
            self.said[name] = type(error).__name__
        else:
            self.said[name] = "kept"

    async def together(self, *others: dict[str, Any], first: tuple[str, ...] = ()) -> None:
        """Lets others come while the first one writes."""
        async with anyio.create_task_group() as group:
            try:
                async with self._shared.write() as connection:
                    for number, other in enumerate(others):
                        statements, refused = other.get("statements", ()), other.get("refused", False)
                        group.start_soon(partial(self.write, f"{number}", *statements, refused=refused))
                    await anyio.wait_all_tasks_blocked()
                    await connection.exec_driver_sql("INSERT INTO whole (text) VALUES ('first')")
                    for statement in first:
                        await connection.exec_driver_sql(statement)
            except Exception as error:
                self.said["first"] = type(error).__name__
            else:
                self.said["first"] = "kept"

    async def kept(self) -> set[str]:
        async with self._shared.read() as connection:
            return {row.text for row in await connection.exec_driver_sql("SELECT text FROM whole")}


@pytest.fixture
def writers(shared: Database) -> Writers:
    return Writers(shared)


async def test_who_comes_meanwhile_is_kept_with_the_first(shared: Database, writers: Writers):
    commits: list[object] = []
    event.listen(shared._writer.sync_engine, "commit", commits.append)
    await writers.together(*({} for _ in range(10)))
    assert set(writers.said.values()) == {"kept"}
    assert await writers.kept() == set(writers.said)
    assert len(commits) == 1


async def test_more_than_one_can_wait_for_make_several(shared: Database, writers: Writers):
    commits: list[object] = []
    event.listen(shared._writer.sync_engine, "commit", commits.append)
    await writers.together(*({} for _ in range(50)))
    assert await writers.kept() == set(writers.said)
    assert 1 < len(commits) < 10


async def test_what_is_refused_leaves_nothing_behind(writers: Writers):
    await writers.together({}, {"refused": True}, {})
    assert writers.said == {"first": "kept", "0": "kept", "1": "ConflictError", "2": "kept"}
    assert await writers.kept() == {"first", "0", "2"}


async def test_a_first_one_that_fails_is_no_harm_to_the_others(writers: Writers):
    await writers.together({}, {}, first=("INSERT INTO whole (id) VALUES (1), (1)",))
    assert writers.said == {"first": "IntegrityError", "0": "kept", "1": "kept"}
    assert await writers.kept() == {"0", "1"}


async def test_what_cannot_be_kept_is_told_to_all(writers: Writers):
    await writers.together({}, {"refused": True}, first=("PRAGMA defer_foreign_keys = ON", _NO_WORKFLOW))
    assert writers.said == {"first": "IntegrityError", "0": "StoreUnavailableError", "1": "StoreUnavailableError"}
    assert await writers.kept() == set()
    await writers.write("later")
    assert await writers.kept() == {"later"}


async def test_a_disk_that_is_full_fails_all_of_it(writers: Writers):
    await writers.together({}, {"statements": [_LARGE]}, {}, first=("PRAGMA max_page_count = 20",))
    assert {name: writers.said[name] for name in ("first", "0", "1")} == {
        "first": "StoreUnavailableError", "0": "StoreUnavailableError", "1": "StoreUnavailableError",
    }  # fmt: skip
    assert writers.said["2"] == "kept"  # it came after the one that failed: in the next transaction
    assert await writers.kept() == {"2"}


async def test_nobody_waits_for_ever(tmp_path: Path, shared: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "_WAIT", 0.1)
    hasty = Writers(Database(f"sqlite:///{tmp_path}/shared.sqlite"))
    async with anyio.create_task_group() as group, hasty._shared.write() as connection:
        group.start_soon(hasty.write, "late")
        while "late" not in hasty.said:
            await _look(connection)
    assert hasty.said == {"late": "StoreUnavailableError"}
    await hasty.write("later")
    assert await hasty.kept() == {"later"}
    await hasty._shared.close()


async def _look(connection: AsyncConnection) -> None:
    await connection.exec_driver_sql("SELECT 1")
    await anyio.sleep(0.01)


async def test_who_is_cancelled_while_waiting_still_writes(writers: Writers, shared: Database):
    """As who writes alone: what was begun is finished."""
    async with anyio.create_task_group() as group, shared.write():
        group.start_soon(writers.write, "cancelled")
        group.start_soon(writers.write, "other")
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert writers.said == {"cancelled": "kept", "other": "kept"}
    assert await writers.kept() == {"cancelled", "other"}
