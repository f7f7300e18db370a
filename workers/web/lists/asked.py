"""What a list of workflows is asked: read from its address, and written into one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from workers.manager.model import Query, Sort, Status, WorkflowSummary

PAGE = 50
"""Workflows on a page."""


class Order(StrEnum):
    """The order of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    CHANGED = "changed"
    """What changed last comes first."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The filters of a list: all that are given must hold."""

    text: str = ""
    """Words: KEY=VALUE is a tag, anything else a part of the id."""
    definition: str = ""
    status: tuple[Status, ...] = ()
    unresolved: bool = False
    """Only what somebody should look at."""
    namespace: str = ""
    queue: str = ""
    after: datetime | None = None
    before: datetime | None = None
    order: Order = Order.NEWEST
    page: str = ""
    """Where the page begins; empty for the first one."""
    problems: tuple[str, ...] = field(default=(), compare=False)
    """What the address says and cannot be: it does not count."""

    @classmethod
    def of(cls, given: QueryParams) -> Self:
        """The filters in an address; what cannot be is left out, and told in `problems`."""
        problems: list[str] = []
        status = [one for one in given.getlist("status") if one]
        unknown = sorted(set(status) - set(Status))
        if unknown:
            problems.append(f"status: there is no {', '.join(unknown)}")
        order = given.get("order") or Order.NEWEST
        if order not in set(Order):
            problems.append(f"order: there is no {order}")
            order = Order.NEWEST
        asked = cls(
            status=tuple(one for one in Status if one in status),
            unresolved=given.get("unresolved", "") not in {"", "0", "false"},
            after=_time("after", given, problems),
            before=_time("before", given, problems),
            order=Order(order),
            text=given.get("text", "").strip(),
            definition=given.get("definition", "").strip(),
            namespace=given.get("namespace", "").strip(),
            queue=given.get("queue", "").strip(),
            page=given.get("page", ""),
        )
        if len(asked._parts()) > 1:
            problems.append("text: only one part of the id can be looked for, and tags as KEY=VALUE")
        return replace(asked, problems=tuple(problems))

    def query(self, limit: int = PAGE) -> Query:
        """The same as the manager is asked it."""
        return Query(
            workflow_definition_name=self.definition or None,
            status=self.status,
            resolved_by_user=False if self.unresolved else None,
            namespace=self.namespace or None,
            queue=self.queue or None,
            tags=self._tags(),
            created_after=self.after,
            created_before=self.before,
            id_contains=next(iter(self._parts()), None),
            sort=Sort.LAST_UPDATED if self.order is Order.CHANGED else Sort.CREATED_AT,
            oldest_first=self.order is Order.OLDEST,
            limit=limit,
            page_token=self.page or None,
        )

    def address(self, **changes: Any) -> str:
        """What stands behind the `?` of the list's address, with `changes`; empty for all workflows."""
        return urlencode(self._changed(changes).given(), doseq=True)

    def given(self) -> dict[str, Any]:
        """What is asked, by the names that it has in addresses and forms."""
        named: dict[str, Any] = {
            "text": self.text,
            "definition": self.definition,
            "status": [str(one) for one in self.status],
            "unresolved": "1" if self.unresolved else "",
            "namespace": self.namespace,
            "queue": self.queue,
            "after": _written(self.after),
            "before": _written(self.before),
            "order": "" if self.order is Order.NEWEST else str(self.order),
            "page": self.page,
        }
        return {name: value for name, value in named.items() if value}

    def concerns(self, workflow: WorkflowSummary) -> bool:
        """Whether a workflow that has changed may be in the list now, or may have been."""
        query = self.query()
        return (
            query.workflow_definition_name in {None, workflow.workflow_definition.name}
            and query.namespace in {None, workflow.namespace}
            and query.queue in {None, workflow.queue}
            and query.tags.items() <= workflow.tags.items()
            and (query.id_contains or "") in workflow.id
            and (query.created_after is None or workflow.created_at >= query.created_after)
            and (query.created_before is None or workflow.created_at < query.created_before)
        )

    def _changed(self, changes: Mapping[str, Any]) -> Self:
        # Another question begins on its first page.
        return replace(self, **({"page": ""} | dict(changes)))

    def _tags(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.text.split() if word.find("=") > 0)

    def _parts(self) -> list[str]:
        return [word for word in self.text.split() if word.find("=") <= 0]


def _time(name: str, given: QueryParams, problems: list[str]) -> datetime | None:
    """A time in UTC, as a form sends it: `2026-01-31T12:00`, also with seconds, or the date alone."""
    if not (text := given.get(name, "").strip()):
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(f"{name}: {text!r} is no time such as 2026-01-31T12:00")
        return None


def _written(time: datetime | None) -> str:
    if time is None:
        return ""
    return f"{time:%Y-%m-%dT%H:%M}" + (f":{time:%S}" if time.second else "")
