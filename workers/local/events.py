"""Status changes of executions on their way to EventBridge, as AWS shapes them (developer guide, "EventBridge").

They go to the default event bus of moto, and by its rules on to queues. Nothing is sent before the first rule is put:
an engine that nobody listens to has no need of moto.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from workers.arns import Place
from workers.local.services import OtherServices
from workers.local.values.scope import compact

log = structlog.get_logger(__name__)

Event = dict[str, Any]

DATA_LIMIT = 248 * 1024
"""Bytes of input and output together with which an event has them (developer guide)."""
_BATCH = 10
"""Events that one PutEvents takes."""
_TARGET = "AWSEvents.PutEvents"


def status_change(execution: Mapping[str, Any]) -> Event:
    """The event of an execution, given as DescribeExecution describes it, as an entry of PutEvents."""
    data = {name: execution.get(name) for name in ("input", "output")}
    fits = sum(len((text or "").encode()) for text in data.values()) <= DATA_LIMIT
    details = {f"{name}Details": None if text is None else {"included": fits} for name, text in data.items()}
    names = ("executionArn", "stateMachineArn", "name", "status")
    others = ("stateMachineVersionArn", "stateMachineAliasArn", "redriveCount", "redriveStatus", "redriveStatusReason")
    detail = {
        **{name: execution[name] for name in names},
        **{name: _milliseconds(execution.get(name)) for name in ("startDate", "stopDate", "redriveDate")},
        **(data if fits else dict.fromkeys(data)),
        **details,
        **{name: execution.get(name) for name in ("error", "cause", *others)},
    }
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [execution["executionArn"]],
        "Time": execution.get("stopDate") or execution["startDate"],
        "Detail": compact(detail),
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


class ExecutionEvents:
    """Sends the events of one region in the background, in their order unless `delivered` says otherwise."""

    def __init__(
        self,
        place: Place,
        services: OtherServices,
        delivered: Callable[[Sequence[Event]], list[Event]] = list,
    ) -> None:
        self._place = place
        self._services = services
        self._delivered = delivered
        self._waiting: list[Event] = []
        self._sender: asyncio.Task[None] | None = None

    def changed(self, execution: Callable[[], Mapping[str, Any]]) -> None:
        """Tells of an execution that has started or ended; it is described only where a rule may want to know."""
        if not self._services.has_rules:
            return
        self._waiting.append(status_change(execution()))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="events of executions")

    async def close(self) -> None:
        """Forgets what has not been sent."""
        self._waiting.clear()
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if entries := self._delivered(batch):
                await self._put(entries[:_BATCH])
                self._waiting[:0] = entries[_BATCH:]

    async def _put(self, entries: list[Event]) -> None:
        try:
            answer = await self._services.ask(_TARGET, {"Entries": entries}, self._place.region)
        except Exception:
            log.exception("Events of executions were not sent", count=len(entries))
            return
        if answer.status != 200:
            log.warning("Events of executions were not taken", count=len(entries), status=answer.status)
