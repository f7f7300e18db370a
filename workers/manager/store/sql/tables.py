"""The tables. Times are whole milliseconds since 1970; documents are JSON as text.

What lists filter and sort by stands in `workflows`, whose rows are small; what may be large stands in
`workflow_details`. The indexes are made for `listing.py`: each begins with what a list is about, goes on with status
and resolved, of which there are only ten combinations, and then have the order, the time and the id. So any page comes
from the ends of a few ranges. The columns after that let the rest be judged without a look at the row. Tags lead
likewise, which is why their rows repeat the state.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

from workers.manager.model import Status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(time: datetime) -> int:
    """A time as the tables hold it."""
    return (time - _EPOCH) // _MILLISECOND


_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is ordered by its characters' numbers, whatever language a database speaks."""


class Milliseconds(TypeDecorator[datetime]):
    """A time, as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """See `TypeDecorator`."""
        del dialect
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """See `TypeDecorator`."""
        del dialect
        return None if value is None else _EPOCH + value * _MILLISECOND


metadata = MetaData()

definitions = Table(
    "definitions",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("id", _TEXT, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("manager", _TEXT, nullable=False),
    Column("state_machine", _TEXT),
    Column("default_tags", _TEXT, nullable=False),
    Column("deprecated", Boolean, nullable=False),
    Column("input_schema", _TEXT),
)

state_resources = Table(
    "state_resources",
    metadata,
    Column("namespace", _TEXT, primary_key=True),
    Column("name", _TEXT, primary_key=True),
    Column("uri", _TEXT, nullable=False),
    Column("type", _TEXT, nullable=False),
    Column("last_updated", Milliseconds, nullable=False),
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", _TEXT, primary_key=True),
    Column("definition_name", _TEXT, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("status", _TEXT, nullable=False),
    Column("resolved", Boolean, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("last_updated", Milliseconds, nullable=False),
    Column("stopped_at", Milliseconds),
    Column("namespace", _TEXT, nullable=False),
    Column("queue", _TEXT, nullable=False),
    Column("tags", _TEXT, nullable=False),
    Column("retry_for", _TEXT),
    Column("start_at", _TEXT),
    Column("redrive_count", Integer, nullable=False),
    Column("launch", _TEXT, nullable=False),
    Column("claimed_by", _TEXT),
    Column("claimed_until", Milliseconds),
    Column("execution_arn", _TEXT),
    Column("revision", Integer, nullable=False),
    ForeignKeyConstraint(["definition_name", "definition_version"], ["definitions.name", "definitions.version"]),
)

details = Table(
    "workflow_details",
    metadata,
    Column("workflow_id", _TEXT, primary_key=True),
    Column("input", _TEXT, nullable=False),
    Column("last_job", _TEXT),
    Column("status_reason", _TEXT),
    Column("cancel_reason", _TEXT),
    Column("output", _TEXT),
    Column("jobs", _TEXT),
    ForeignKeyConstraint(["workflow_id"], ["workflows.id"], ondelete="CASCADE"),
)

tags = Table(
    "workflow_tags",
    metadata,
    Column("key", _TEXT, primary_key=True),
    Column("value", _TEXT, primary_key=True),
    Column("status", _TEXT, primary_key=True),
    Column("resolved", Boolean, primary_key=True),
    Column("created_at", Milliseconds, primary_key=True),
    Column("workflow_id", _TEXT, primary_key=True),
    ForeignKeyConstraint(["workflow_id"], ["workflows.id"], ondelete="CASCADE"),
    Index("ix_workflow_tags_workflow_id", "workflow_id"),
    sqlite_with_rowid=False,
)

counts = Table(
    "workflow_counts",
    metadata,
    Column("definition_name", _TEXT, primary_key=True),
    Column("definition_version", Integer, primary_key=True, autoincrement=False),
    Column("status", _TEXT, primary_key=True),
    Column("resolved", Boolean, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""How many workflows there are, kept up to date by every transaction that changes it: to count takes seconds."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", _TEXT, primary_key=True),
    Column("fingerprint", _TEXT, nullable=False),
    Column("workflow_id", _TEXT, nullable=False),
    Column("expires", Milliseconds, nullable=False),
    Index("ix_idempotency_keys_expires", "expires"),
)
"""What requests with a key are to bring about: in `workflow_id` stands a new workflow's id, or what else it is."""

queues = Table(
    "queues",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("running_limit", Integer),
)

leases = Table(
    "leases",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("owner", _TEXT, nullable=False),
    Column("token", Integer, nullable=False),
    Column("expires", Milliseconds, nullable=False),
)

_state = (workflows.c.status, workflows.c.resolved)

Index("ix_workflows_created", *_state, workflows.c.created_at, workflows.c.id)
Index("ix_workflows_updated", *_state, workflows.c.last_updated, workflows.c.id)
Index(
    "ix_workflows_definition_created",
    workflows.c.definition_name,
    *_state,
    workflows.c.created_at,
    workflows.c.id,
    workflows.c.namespace,
    workflows.c.queue,
)
Index("ix_workflows_definition_updated", workflows.c.definition_name, *_state, workflows.c.last_updated, workflows.c.id)
Index(
    "ix_workflows_namespace_created",
    workflows.c.namespace,
    *_state,
    workflows.c.created_at,
    workflows.c.id,
    workflows.c.definition_name,
    workflows.c.queue,
)
Index(
    "ix_workflows_queue_created",
    workflows.c.queue,
    *_state,
    workflows.c.created_at,
    workflows.c.id,
    workflows.c.definition_name,
    workflows.c.namespace,
)
Index("ix_workflows_retry_for", workflows.c.retry_for, postgresql_where=text("retry_for IS NOT NULL"),
      sqlite_where=text("retry_for IS NOT NULL"))  # fmt: skip

UNFINISHED = text("status IN ('queued', 'running')")
"""Written with literals: a partial index serves only a query that says the same."""

Index("ix_workflows_unfinished", workflows.c.queue, workflows.c.launch, workflows.c.created_at, workflows.c.id,
      postgresql_where=UNFINISHED, sqlite_where=UNFINISHED)  # fmt: skip
Index("ix_workflows_unfinished_created", workflows.c.created_at, workflows.c.id,
      postgresql_where=UNFINISHED, sqlite_where=UNFINISHED)  # fmt: skip
Index("ix_workflows_stopped", workflows.c.stopped_at)

TERMINAL = tuple(status.value for status in Status if status.terminal)
