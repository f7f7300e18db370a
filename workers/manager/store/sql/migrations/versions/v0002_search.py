"""An index of all texts of three characters in the ids of workflows, where the database is SQLite."""

from alembic import op

revision = "0002"
down_revision = "0001"

_UP = (
    "CREATE VIRTUAL TABLE workflow_ids USING fts5(id, tokenize = 'trigram', detail = none)",
    "INSERT INTO workflow_ids (id) SELECT id FROM workflows",
    """CREATE TRIGGER workflow_ids_insert AFTER INSERT ON workflows BEGIN
        INSERT INTO workflow_ids (id) VALUES (new.id);
    END""",
    """CREATE TRIGGER workflow_ids_delete AFTER DELETE ON workflows BEGIN
        DELETE FROM workflow_ids WHERE rowid IN (SELECT rowid FROM workflow_ids WHERE id LIKE old.id AND id = old.id);
    END""",
)
_DOWN = (
    "DROP TRIGGER workflow_ids_delete",
    "DROP TRIGGER workflow_ids_insert",
    "DROP TABLE workflow_ids",
)


def upgrade() -> None:
    """Makes it of the ids that there are, and keeps it up to date."""
    _execute(_UP)


def downgrade() -> None:
    """Removes it."""
    _execute(_DOWN)


def _execute(statements: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in statements:
            op.execute(statement)
