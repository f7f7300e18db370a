"""The tables and their indexes.

`PREFIX-definitions` has the versions by name and number, and at number -1 which one is the latest. `PREFIX-workflows`
has the workflows by id; lists come from indexes whose partitions are a definition or a month, and which are sorted by
time and id. `PREFIX-registry` has all that is small, by kind and name; what has an `expires` there goes by itself.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Index:
    """An index of workflows: the attribute of its partitions, and the one that it is sorted by."""

    name: str
    partition: str
    order: str


BY_DEFINITION = Index("by-definition", "definition", "created")
BY_CREATED = Index("by-created", "created_month", "created")
BY_UPDATED = Index("by-updated", "updated_month", "updated")
BY_STOPPED = Index("by-stopped", "stopped_month", "stopped")
BY_ORIGINAL = Index("by-original", "retry_for", "created")
UNFINISHED = Index("unfinished", "unfinished", "created")
"""Holds only workflows that have not ended."""
INDEXES = (BY_DEFINITION, BY_CREATED, BY_UPDATED, BY_STOPPED, BY_ORIGINAL, UNFINISHED)
LARGEST = 350_000
"""Bytes of what may be large in an item: all of it may have 400 KB (DynamoDB, service quotas)."""
LATEST = -1
"""The number under which the definitions' table tells the latest one."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the tables."""

    prefix: str

    @property
    def definitions(self) -> str:
        """Definitions."""
        return f"{self.prefix}-definitions"

    @property
    def workflows(self) -> str:
        """Workflows."""
        return f"{self.prefix}-workflows"

    @property
    def registry(self) -> str:
        """State resources, queues, leases, idempotency keys, counts."""
        return f"{self.prefix}-registry"

    def schemas(self) -> list[dict[str, Any]]:
        """What CreateTable is told."""
        indexes = [
            {
                "IndexName": index.name,
                "KeySchema": _keys(index.partition, index.order),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in INDEXES
        ]
        attributes = sorted({"id"} | {name for index in INDEXES for name in (index.partition, index.order)})
        workflows = {
            "TableName": self.workflows,
            "KeySchema": _keys("id"),
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            "GlobalSecondaryIndexes": indexes,
        }
        return [
            _table(self.definitions, ("name", "S"), ("version", "N")),
            _table(self.registry, ("kind", "S"), ("name", "S")),
            workflows | {"BillingMode": "PAY_PER_REQUEST"},
        ]


def _table(name: str, *keys: tuple[str, str]) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": _keys(*(key for key, _ in keys)),
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _keys(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]
