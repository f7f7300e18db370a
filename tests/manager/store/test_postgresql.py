"""What only the store in PostgreSQL has to do with: a server that is away, many who write the same at once."""

import os
import signal
from collections import Counter
from datetime import timedelta
from itertools import product

import anyio
import pytest
from sqlalchemy import text

from tests import postgresql
from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import ended, made, saved
from workers.errors import MissingExtraError
from workers.manager.errors import ConflictError, NotFoundError, StoreUnavailableError
from workers.manager.model import Change, Query, Queue, StateResource, Status, now
from workers.manager.store.choice import open_store
from workers.manager.store.interface import IdempotencyKey, Store
from workers.manager.store.sql import postgresql as ours
from workers.manager.store.sql.database import Database, database_url


async def test_a_server_that_went_away_is_found_again():
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.postgresql() as server:
        async with open_store(server.create("manager")) as store:
            kept = await saved(store, await store.save_definition(MACHINE))
            for line in server.run("psql", "-Atc", "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                   " AND application_name = 'workers'", "postgres").split():  # fmt: skip
                os.kill(int(line), signal.SIGTERM)  # what an administrator does with one connection
            with anyio.fail_after(30):
                while server.run("psql", "-Atc", "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                                 " 'workers'", "postgres").strip() != "0":  # fmt: skip
                    await anyio.sleep(0.05)
            assert await store.workflow(kept.id) == kept
            server.process.send_signal(signal.SIGINT)
            server.process.wait(30)
            for call in (store.workflow(kept.id), store.update_workflow(kept.id, Change(status=Status.RUNNING))):
                with pytest.raises(StoreUnavailableError):
                    await call


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("postgres@", "nobody@"), "nobody"),
        (("/manager", "/nothing-"), "nothing-"),
        (("host=", "host=/no"), "No such file"),
    ],
)
async def test_what_cannot_be_opened_is_said(postgresql_url: str, change: tuple[str, str], says: str):
    with pytest.raises(StoreUnavailableError, match=says):
        async with open_store(postgresql_url.replace(*change)):
            pass


def test_urls(monkeypatch: pytest.MonkeyPatch):
    url = database_url("postgresql://me:secret@host:5433/db?sslmode=require")
    assert url.render_as_string() == "postgresql+asyncpg://me:***@host:5433/db?ssl=require"
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="postgresql"):
        database_url("postgresql://host/db")


async def test_who_is_paused_in_a_transaction_keeps_nobody_waiting(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    async with open_store(postgresql_url) as store:
        kept = await saved(store, await store.save_definition(MACHINE))
        monkeypatch.setattr(ours, "_SESSION", ours._SESSION | {"idle_in_transaction_session_timeout": "500ms"})
        paused = Database(postgresql_url)

        async def pause() -> None:
            async with paused.write() as connection:
                await connection.exec_driver_sql("UPDATE workflows SET revision = revision + 1")
                changed = await store.update_workflow(kept.id, Change(status=Status.RUNNING))
                assert changed.revision == 2
                await connection.exec_driver_sql("SELECT 1")

        with pytest.raises(StoreUnavailableError):
            await pause()
        await paused.close()


async def test_what_reads_several_times_reads_one_moment(postgresql_url: str):
    database = Database(postgresql_url)
    for reading, level in ((database.look, "read committed"), (database.read, "repeatable read")) * 2:
        async with reading() as connection:
            assert await connection.scalar(text("SHOW transaction_isolation")) == level
    await database.close()


async def test_the_same_key_many_times_at_once_is_one_workflow(postgresql_url: str):
    async with open_store(postgresql_url) as store:
        definition = await store.save_definition(MACHINE)
        key = IdempotencyKey("once", "the same", now() + timedelta(days=1))
        ids = []

        async def save() -> None:
            ids.append((await store.save_workflow(made(definition), idempotency=key)).id)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(save)
        assert len(set(ids)) == 1
        assert [one.id for one in (await store.workflows(Query())).items] == [ids[0]]
        await store.delete_workflow(ids[0])
        again = await store.save_workflow(made(definition), idempotency=key)
        assert again.id not in ids


async def up_and_down(store: Store, workflow_id: str) -> None:
    for redrive, status in product(range(3), (Status.RUNNING, Status.FAILED)):
        change = Change(status=status, redrive_count=redrive, stopped_at=now())
        try:
            await store.update_workflow(workflow_id, change)
        except NotFoundError:
            return


async def forget(store: Store) -> None:
    for _ in range(5):
        await store.delete_finished(now(), limit=5)
        await store.save_state_resource(StateResource(name="same"))
        await store.save_queue(Queue(name="same", limit=3))


async def test_whoever_changes_deletes_and_counts_at_once_ends(postgresql_url: str):
    """No two of them wait for each other, and the counts are right in the end."""
    async with open_store(postgresql_url) as store:
        definition = await store.save_definition(MACHINE)
        kept = [await saved(store, definition, tags={"a": "b"}) for _ in range(20)]
        async with anyio.create_task_group() as group:
            for one in kept:
                group.start_soon(up_and_down, store, one.id)
            for _ in range(3):
                group.start_soon(forget, store)
        left = Counter(one.status for one in (await store.workflows(Query(limit=1_000))).items)
        assert {one.status: one.count for one in await store.counts()} == left


async def test_a_definition_that_gets_a_workflow_meanwhile_stays(postgresql_url: str):
    async with open_store(postgresql_url) as store:
        definition = await store.save_definition(MACHINE)
        said = []

        async def delete() -> None:
            try:
                await store.delete_definition(definition.name)
            except ConflictError:
                said.append("kept")

        async def start() -> None:
            try:
                await ended(store, definition, Status.SUCCEEDED)
            except (NotFoundError, ConflictError):
                said.append("gone")

        async with anyio.create_task_group() as group:
            group.start_soon(delete)
            group.start_soon(start)
        assert len(said) == 1
