"""The tables' history, on data, up and down."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tests.manager.store.conftest import MACHINE, database
from tests.manager.store.workflows import saved
from workers.errors import UsageError
from workers.manager.store.sql import migrating
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.store import SqlStore
from workers.manager.store.sql.tables import metadata

REVISIONS = [script.revision for script in ScriptDirectory(str(migrating._SCRIPTS)).walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return database(request, request.param, tmp_path)


async def test_the_history_ends_with_the_tables_as_they_are(url: str):
    tables = Database(url)
    await migrating.upgrade(tables)
    async with tables.write() as connection:
        assert await connection.run_sync(difference) == []
    await tables.close()


async def test_data_lives_through_all_steps_down_and_up(url: str):
    async with SqlStore(url) as store:
        kept = await saved(store, await store.save_definition(MACHINE), tags={"a": "b"})
    tables = Database(url)
    for revision in REVISIONS[::-1]:
        await migrating.downgrade(tables, revision)
    for revision in REVISIONS:
        await migrating.upgrade(tables, revision)
    await tables.close()
    async with SqlStore(url) as store:
        assert await store.workflow(kept.id) == kept


async def test_the_base_has_no_tables(url: str):
    async with SqlStore(url) as store:
        await saved(store, await store.save_definition(MACHINE))
    tables = Database(url)
    await migrating.downgrade(tables, "base")
    async with tables.read() as connection:
        assert await connection.run_sync(lambda c: inspect(c).get_table_names()) == ["alembic_version"]
    await tables.close()
    async with SqlStore(url) as store:
        assert await store.definitions() == []


async def test_tables_of_a_newer_version_are_left_alone(url: str):
    async with SqlStore(url) as store:
        await store.save_definition(MACHINE)
    tables = Database(url)
    async with tables.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await tables.close()
    with pytest.raises(UsageError, match="another version"):
        async with SqlStore(url):
            pass


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "text").write_text("no database" * 1_000)
    with pytest.raises(UsageError, match="not a database"):
        async with SqlStore(f"sqlite:///{tmp_path}/text"):
            pass
    for url in ("", "sqlite:", "nothing://x", "mysql://x", "postgresql+psycopg://x"):
        with pytest.raises(UsageError, match="database"):
            SqlStore(url)


def difference(connection: Connection) -> list[object]:
    def ours(name: str | None, kind: str, parents: object) -> bool:
        """What finds texts in ids no model of SQLAlchemy describes."""
        return not str(name).startswith("workflow_ids") and name != "ix_workflows_id_trigrams"

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": ours}), metadata))
