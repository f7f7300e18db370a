"""Definitions with a schema of their workflows' inputs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Definitions that are there have none."""
    op.add_column("definitions", sa.Column("input_schema", _TEXT, nullable=True))


def downgrade() -> None:
    """Forgets the schemas."""
    op.drop_column("definitions", "input_schema")
