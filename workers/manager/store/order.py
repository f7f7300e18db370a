"""The one rule by which a workflow changes, for all stores."""

from typing import Any

from workers.manager.errors import RevisionError, TerminalStatusError
from workers.manager.model import Change, Status


def allowed(
    workflow_id: str, change: Change, *, status: Status, redrive_count: int, present: int, revision: int | None
) -> dict[str, Any]:
    """The fields that a change writes on a workflow with that status, redrive count and (present) revision.

    Raises `RevisionError` and `TerminalStatusError`.
    """
    if revision is not None and revision != present:
        raise RevisionError(f"workflow {workflow_id} has changed since it was read: read it again")
    given = change.given()
    if (count := given.get("redrive_count")) is None:
        given.pop("redrive_count", None)
        count = redrive_count
    after = given.get("status")
    if after is None:
        given.pop("status", None)
        after = status if count == redrive_count else None
    if after is None or (count, after.rank) < (redrive_count, status.rank):
        raise TerminalStatusError(
            f"workflow {workflow_id} is {status} after {redrive_count} redrives: "
            f"it cannot become {after or 'another'} of redrive {count}"
        )
    return given
