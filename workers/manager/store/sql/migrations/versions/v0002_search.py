"""An index of all texts of three characters in the ids of workflows."""

import structlog
from alembic import op
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)

revision = "0002"
down_revision = "0001"

_SQLITE_UP = (
    "CREATE VIRTUAL TABLE workflow_ids USING fts5(id, tokenize = 'trigram', detail = none)",
    "INSERT INTO workflow_ids (id) SELECT id FROM workflows",
    """CREATE TRIGGER workflow_ids_insert AFTER INSERT ON workflows BEGIN
        INSERT INTO workflow_ids (id) VALUES (new.id);
    END""",
    """CREATE TRIGGER workflow_ids_delete AFTER DELETE ON workflows BEGIN
        DELETE FROM workflow_ids WHERE rowid IN (SELECT rowid FROM workflow_ids WHERE id LIKE old.id AND id = old.id);
    END""",
)
_SQLITE_DOWN = (
    "DROP TRIGGER workflow_ids_delete",
    "DROP TRIGGER workflow_ids_insert",
    "DROP TABLE workflow_ids",
)


_INDEX = "ix_workflows_id_trigrams"
_POSTGRESQL_UP = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX {_INDEX} ON workflows USING gin (id gin_trgm_ops)",
)


def upgrade() -> None:
    """Makes it of the ids that there are, and keeps it up to date."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _execute(_SQLITE_UP)
        return
    try:
        with connection.begin_nested():
            _execute(_POSTGRESQL_UP)
    except DBAPIError as error:  # no such extension here, or none that this user may add: texts are found without it
        log.warning("no index of texts in ids", error=str(error.orig))


def downgrade() -> None:
    """Removes it; the extension may be of use to others."""
    _execute(_SQLITE_DOWN if op.get_bind().dialect.name == "sqlite" else (f"DROP INDEX IF EXISTS {_INDEX}",))


def _execute(statements: tuple[str, ...]) -> None:
    for statement in statements:
        op.execute(statement)
