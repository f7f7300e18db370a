"""Pages of workflows in DynamoDB: from the index of a definition, or month by month, filtered where they are."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from workers.manager.model import Page, Query, Sort, now
from workers.manager.store.cursor import Cursor
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.definitions import DynamoDefinitions
from workers.manager.store.dynamodb.items import Item, expressions, milliseconds, moment
from workers.manager.store.dynamodb.tables import BY_CREATED, BY_DEFINITION, BY_UPDATED, Index
from workers.manager.store.dynamodb.workflow_items import WorkflowItems, month_of, ordered, tag_text
from workers.manager.store.dynamodb.workflows import months_before, retries_of

_SKEW = timedelta(minutes=5)
"""How far ahead the clocks of others may be."""


class DynamoListing(DynamoDefinitions):
    """See `WorkflowStore`."""

    _database: DynamoDatabase
    _items: WorkflowItems

    async def workflows(self, query: Query) -> Page:
        """See `WorkflowStore`. What was written within the last moment may be missing."""
        cursor = Cursor.of(query)
        found: list[Item] = []
        async for item in self._matching(query, cursor):
            found.append(item)
            if len(found) > query.limit:
                break
        shown = found[: query.limit]
        retries = {item["id"]: await retries_of(self._database, item["id"]) for item in shown}
        items = tuple(await self._items.summaries(shown, retries))
        more = len(found) > query.limit
        return Page(items=items, next_page_token=Cursor.after(query, items[-1]).token if more else None)

    async def _matching(self, query: Query, cursor: Cursor | None) -> AsyncIterator[Item]:
        by_change = query.sort is Sort.LAST_UPDATED
        filters, values = _filters(query)
        first, last = _range(query, cursor)
        if first > last:
            return
        if query.workflow_definition_name is not None and not by_change:
            index, partitions = BY_DEFINITION, [query.workflow_definition_name]
        else:
            index = BY_UPDATED if by_change else BY_CREATED
            partitions = await self._months(query, cursor)
        for partition in partitions:
            parameters = _expressions(index, partition, first, last, filters, values)
            async for item in self._database.query(
                self._database.names.workflows,
                IndexName=index.name,
                ScanIndexForward=query.oldest_first,
                **parameters,
            ):
                yield item

    async def _months(self, query: Query, cursor: Cursor | None) -> list[str]:
        """The months that a list goes through. No workflow is older than the oldest definition."""
        newest = now() + _SKEW
        oldest = newest
        async for item in self._ages():
            oldest = min(oldest, item)
        if query.sort is Sort.CREATED_AT:
            oldest = max(oldest, query.created_after or oldest)
            newest = min(newest, query.created_before or newest)
        else:
            oldest = max(oldest, query.updated_after or oldest)
            newest += timedelta(days=1)  # a time of change may be given
        at = moment(cursor.time) if cursor else None
        if at and query.oldest_first:
            oldest = max(oldest, at)
        elif at:
            newest = min(newest, at)
        months = [month for month in months_before(newest, 1_200) if month >= month_of(oldest)]
        return months[::-1] if query.oldest_first else months

    async def _ages(self) -> AsyncIterator[datetime]:
        for definition in await self.definitions():
            if definition.version and (first := await self.definition(definition.name, 0)).created_at:
                yield first.created_at
            elif definition.created_at:
                yield definition.created_at


def _filters(query: Query) -> tuple[list[str], dict[str, Any]]:
    """What is left to be judged when an index has been chosen, and its values."""
    by_change = query.sort is Sort.LAST_UPDATED
    judged: list[tuple[str, str, Any]] = [
        ("@namespace = :namespace", "namespace", query.namespace),
        ("@queue = :queue", "queue", query.queue),
        ("@resolved = :resolved", "resolved", query.resolved_by_user),
        ("contains(@id, :text)", "text", query.id_contains or None),
    ]
    if by_change:
        judged += [
            ("@definition = :definition", "definition", query.workflow_definition_name),
            ("@created_at >= :after", "after", query.created_after and milliseconds(query.created_after)),
            ("@created_at < :before", "before", query.created_before and milliseconds(query.created_before)),
        ]
    elif query.updated_after:
        judged.append(("@last_updated >= :after", "after", milliseconds(query.updated_after)))
    for number, (key, value) in enumerate(query.tags.items()):
        judged.append((f"contains(@tag_list, :tag{number})", f"tag{number}", tag_text(key, value)))
    filters = [text for text, _, value in judged if value is not None]
    values = {name: value for _, name, value in judged if value is not None}
    if query.status:
        values |= {f"status{number}": status.value for number, status in enumerate(query.status)}
        filters.append(f"@status IN ({', '.join(f':status{number}' for number in range(len(query.status)))})")
    return filters, values


def _range(query: Query, cursor: Cursor | None) -> tuple[str, str]:
    """The first and the last place in the order that a list may show."""
    by_change = query.sort is Sort.LAST_UPDATED
    after = query.updated_after if by_change else query.created_after
    before = None if by_change else query.created_before
    first = ordered(after) if after else "0"
    last = ordered(milliseconds(before) - 1, _LAST) if before else "9"
    if cursor:
        place = ordered(cursor.time, cursor.workflow_id)
        return (max(first, f"{place}\0"), last) if query.oldest_first else (first, min(last, _before(place)))
    return first, last


_LAST = "\U0010ffff"
"""Behind any id."""


def _before(place: str) -> str:
    """A place just before another one, which a range that ends there leaves out."""
    return f"{place[:-1]}{chr(ord(place[-1]) - 1)}{_LAST}"


def _expressions(
    index: Index, partition: str, first: str, last: str, filters: list[str], values: dict[str, Any]
) -> dict[str, Any]:
    keys = f"@{index.partition} = :partition AND @{index.order} BETWEEN :first AND :last"
    texts = {"KeyConditionExpression": keys} | ({"FilterExpression": " AND ".join(filters)} if filters else {})
    return expressions(values | {"partition": partition, "first": first, "last": last}, **texts)
