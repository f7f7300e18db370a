"""The lists of executions that have ended: the status of a thousand workflows for the price of one call.

They begin with the youngest, "sorted by time" (ListExecutions, API reference), which is not said to be the time of the
start or of the end; so nothing rests on it. A list is read as long as that can be worth it: until an execution began
before any workflow that is looked for, until all that a page tells was over when this list was last read, and never for
more pages than looks at each single workflow would cost. What is not found is looked at by itself.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from workers.executions.execution import Status
from workers.manager.store.interface import Unfinished
from workers.manager.sync.recorder import Recorder
from workers.stepfunctions.account import Account

PAGE = 1_000
"""Executions on a page, at most (API reference)."""
_LOOKS = 5
"""Looks at single executions that the buckets give for one page."""
_SKEW = timedelta(minutes=5)
"""How much the clocks of AWS and of this machine may differ."""
_ENDED = tuple(status for status in Status if status.ended)


class EndedLists:
    """Reads the lists of executions that ended, of one machine after the other."""

    def __init__(self, account: Account, recorder: Recorder) -> None:
        self._account = account
        self._recorder = recorder
        self._seen: dict[tuple[str, Status], datetime] = {}
        """The last `stopDate` in each list that was read."""

    def forget(self, machines: Collection[str]) -> None:
        """Keeps in mind only what is known of these machines."""
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in machines}

    async def read(self, machine: str, left: dict[str, Unfinished]) -> None:
        """Writes down what the lists tell of the workflows in `left`, and takes those out.

        Raises `ServiceError` and `StoreUnavailableError`.
        """
        budget = max(len(_ENDED), len(left) // _LOOKS)
        for status in _ENDED:
            if not left or budget <= 0:
                return
            budget -= await self._one(machine, status, left, budget)

    async def _one(self, machine: str, status: Status, left: dict[str, Unfinished], budget: int) -> int:
        """Reads one list; returns how many pages of it."""
        oldest = min(workflow.created_at for workflow in left.values()) - _SKEW
        before = self._seen.get((machine, status))
        last, token, pages = before, None, 0
        while pages < budget and left:
            answer = await self._account.call(
                "ListExecutions", stateMachineArn=machine, statusFilter=str(status), maxResults=PAGE, nextToken=token
            )
            pages += 1
            items: list[dict[str, Any]] = answer["executions"]
            await self._recorder.record({item["name"]: item for item in items if item["name"] in left})
            for item in items:
                left.pop(item["name"], None)
            stops = [_stopped(item) for item in items]
            last = max([*stops, *([last] if last else [])], default=None)
            token = answer.get("nextToken")
            over = before is not None and all(stop < before - _SKEW for stop in stops)
            if not token or over or any(item["startDate"] < oldest for item in items):
                break
        if last:
            self._seen[machine, status] = last
        return pages


def _stopped(item: Mapping[str, Any]) -> datetime:
    stopped: datetime = item.get("stopDate") or item["startDate"]
    return stopped
