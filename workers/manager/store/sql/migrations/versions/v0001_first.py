"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the tables."""
    _definitions()
    _workflows()
    _workflow_indexes()
    _beside_workflows()
    _sharing()


def downgrade() -> None:
    """Removes them, with everything in them."""
    for table in (
        "workflow_counts",
        "workflow_tags",
        "workflow_details",
        "workflows",
        "state_resources",
        "queues",
        "leases",
        "idempotency_keys",
        "definitions",
    ):
        op.drop_table(table)


def _definitions() -> None:
    op.create_table(
        "definitions",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("manager", _TEXT, nullable=False),
        sa.Column("state_machine", _TEXT, nullable=True),
        sa.Column("default_tags", _TEXT, nullable=False),
        sa.Column("deprecated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "state_resources",
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("uri", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name"),
    )


def _workflows() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("definition_name", _TEXT, nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("namespace", _TEXT, nullable=False),
        sa.Column("queue", _TEXT, nullable=False),
        sa.Column("tags", _TEXT, nullable=False),
        sa.Column("retry_for", _TEXT, nullable=True),
        sa.Column("start_at", _TEXT, nullable=True),
        sa.Column("redrive_count", sa.Integer(), nullable=False),
        sa.Column("launch", _TEXT, nullable=False),
        sa.Column("claimed_by", _TEXT, nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("execution_arn", _TEXT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["definition_name", "definition_version"], ["definitions.name", "definitions.version"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _workflow_indexes() -> None:
    op.create_index("ix_workflows_created", "workflows", ["status", "resolved", "created_at", "id"])
    op.create_index(
        "ix_workflows_definition_created",
        "workflows",
        ["definition_name", "status", "resolved", "created_at", "id", "namespace", "queue"],
    )
    op.create_index(
        "ix_workflows_definition_updated", "workflows", ["definition_name", "status", "resolved", "last_updated", "id"]
    )
    op.create_index(
        "ix_workflows_namespace_created",
        "workflows",
        ["namespace", "status", "resolved", "created_at", "id", "definition_name", "queue"],
    )
    op.create_index(
        "ix_workflows_queue_created",
        "workflows",
        ["queue", "status", "resolved", "created_at", "id", "definition_name", "namespace"],
    )
    op.create_index("ix_workflows_retry_for", "workflows", ["retry_for"], **_where("retry_for IS NOT NULL"))
    op.create_index("ix_workflows_stopped", "workflows", ["stopped_at"])
    op.create_index(
        "ix_workflows_unfinished",
        "workflows",
        ["queue", "launch", "created_at", "id"],
        **_where("status IN ('queued', 'running')"),
    )
    op.create_index(
        "ix_workflows_unfinished_created",
        "workflows",
        ["created_at", "id"],
        **_where("status IN ('queued', 'running')"),
    )
    op.create_index("ix_workflows_updated", "workflows", ["status", "resolved", "last_updated", "id"])


def _beside_workflows() -> None:
    op.create_table(
        "workflow_details",
        sa.Column("workflow_id", _TEXT, nullable=False),
        sa.Column("input", _TEXT, nullable=False),
        sa.Column("last_job", _TEXT, nullable=True),
        sa.Column("status_reason", _TEXT, nullable=True),
        sa.Column("cancel_reason", _TEXT, nullable=True),
        sa.Column("output", _TEXT, nullable=True),
        sa.Column("jobs", _TEXT, nullable=True),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workflow_id"),
    )
    op.create_table(
        "workflow_tags",
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("workflow_id", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "value", "status", "resolved", "created_at", "workflow_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_workflow_tags_workflow_id", "workflow_tags", ["workflow_id"])
    op.create_table(
        "workflow_counts",
        sa.Column("definition_name", _TEXT, nullable=False),
        sa.Column("definition_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("definition_name", "definition_version", "status", "resolved"),
    )


def _sharing() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("workflow_id", _TEXT, nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_idempotency_keys_expires", "idempotency_keys", ["expires"])
    op.create_table(
        "queues",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("running_limit", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "leases",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _where(condition: str) -> dict[str, Any]:
    """A partial index, where the database has them."""
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}
