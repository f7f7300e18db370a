"""Making the tables, and bringing them from one version to another."""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from workers.errors import UsageError
from workers.manager.store.sql.database import Database

LATEST = "head"
_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 7_236_401_905
"""A number of our own: on PostgreSQL the advisory lock of those who migrate."""


async def upgrade(database: Database, revision: str = LATEST) -> None:
    """Brings the tables up to a revision, in one transaction. Raises `UsageError` if a newer version made them."""
    await _migrate(database, revision, upwards=True)


async def downgrade(database: Database, revision: str) -> None:
    """Brings the tables down to a revision: `base` removes them all, with everything in them."""
    await _migrate(database, revision, upwards=False)


async def _migrate(database: Database, revision: str, *, upwards: bool) -> None:
    try:
        async with database.write() as connection:
            await connection.run_sync(_run, revision, upwards)
    except RevisionError as error:
        raise UsageError(
            f"the tables of {database.url!r} are of another version: {error}. Use the version that made them, or a "
            "newer one"
        ) from error
    except DatabaseError as error:
        raise UsageError(f"{database.url!r} cannot be used: {error.orig}") from error


def _run(connection: Connection, revision: str, upwards: bool) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    scripts = ScriptDirectory(str(_SCRIPTS))
    context = MigrationContext.configure(connection)
    present = context.get_current_revision()
    with Operations.context(context):
        if upwards:
            for script in reversed(list(scripts.iterate_revisions(revision, present))):
                script.module.upgrade()
        else:
            for script in scripts.iterate_revisions(present, revision):
                script.module.downgrade()
    context.stamp(scripts, revision)
