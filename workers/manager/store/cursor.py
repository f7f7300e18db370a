"""Page tokens: where the next page of a list begins, as text that callers keep and give back."""

import base64
import json
from dataclasses import dataclass
from typing import Self

from workers.manager.errors import InvalidPageTokenError
from workers.manager.model import Query, Sort, WorkflowSummary


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last workflow of a page: its place in the order, so that what comes and goes meanwhile moves nothing."""

    sort: Sort
    oldest_first: bool
    time: int
    """Milliseconds since 1970, of the time that is sorted by."""
    workflow_id: str

    @classmethod
    def after(cls, query: Query, last: WorkflowSummary) -> Self:
        """The cursor behind `last`."""
        time = last.created_at if query.sort is Sort.CREATED_AT else last.last_updated
        return cls(query.sort, query.oldest_first, round(time.timestamp() * 1_000), last.id)

    @classmethod
    def of(cls, query: Query) -> Self | None:
        """The cursor in the page token of a query; None on the first page.

        Raises `InvalidPageTokenError` for one that is damaged, or comes from a list in another order.
        """
        if not query.page_token:
            return None
        cursor = cls.from_token(query.page_token)
        if (cursor.sort, cursor.oldest_first) != (query.sort, query.oldest_first):
            raise InvalidPageTokenError("the page token comes from a list in another order: begin with the first page")
        return cursor

    @classmethod
    def from_token(cls, token: str) -> Self:
        """The cursor in a token. Raises `InvalidPageTokenError`."""
        try:
            sort, oldest_first, time, workflow_id = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
            cursor = cls(Sort(sort), bool(oldest_first), time, workflow_id)
        except (ValueError, TypeError, RecursionError):
            raise InvalidPageTokenError(f"{token[:100]!r} is no page token: begin with the first page") from None
        if not (isinstance(time, int) and abs(time) < 2**53 and isinstance(workflow_id, str) and cursor.token == token):
            raise InvalidPageTokenError(f"{token[:100]!r} is no page token: begin with the first page")
        return cursor

    @property
    def token(self) -> str:
        """The cursor as text that may stand in a URL."""
        data = [self.sort.value, int(self.oldest_first), self.time, self.workflow_id]
        return base64.urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode()
