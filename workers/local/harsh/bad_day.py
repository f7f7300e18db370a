"""The bad day itself: what the HTTP side of the engine asks before and after it answers."""

import asyncio
import inspect
from collections.abc import Awaitable, Sequence
from random import Random, SystemRandom
from typing import TypeVar

import structlog

from workers.local.harsh.buckets import Buckets
from workers.local.harsh.visibility import Visibility
from workers.local.http.messages import Answer, Request
from workers.local.operations.types import Operation, Parameters
from workers.local.region import Region

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

LOST_ANSWERS = 0.02
LOST_EVENTS = 0.02
DOUBLED_EVENTS = 0.05

_POLL = "GetActivityTask"
_DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


def bad_day(seed: int | None) -> "BadDay":
    """A bad day; without a `seed`, one that nobody knows yet, told in the log."""
    if seed is None:
        seed = SystemRandom().randrange(2**32)
    log.info("AWS has a bad day", seed=seed)
    return BadDay(seed)


class AnswerLostError(Exception):
    """An operation was carried out, and the client does not hear of it."""


class BadDay:
    """Everything that goes wrong in one engine. The same `seed` and the same requests give the same faults."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._buckets: dict[str, Buckets] = {}
        self._visibility: dict[str, Visibility] = {}
        self._dropped: set[asyncio.Task[Parameters]] = set()

    def seeing(self, name: str, region: Region, operation: Operation) -> Operation:
        """The operation as it sees what was changed a moment ago."""
        return self._of(region).seeing(name, operation)

    async def answer(self, name: str, region: Region, parameters: Parameters, operation: Operation) -> Parameters:
        """What `operation` answers. Raises `ApiError`, and `AnswerLostError` where the answer gets lost."""
        place = region.place.region
        arn = parameters.get("stateMachineArn", "")
        machine = region.machines.find(arn) or region.machines.find(arn.rpartition(":")[0])
        express = machine is not None and machine.type == "EXPRESS"
        self._buckets.setdefault(place, Buckets(place)).take(name, express=express)
        visibility = self._of(region)
        visibility.check(name, parameters)
        answer = operation(region, parameters)
        if inspect.isawaitable(answer):
            answer = await (self._polled(answer) if name == _POLL else answer)
        answer = visibility.changed(name, parameters, answer)
        if self._random.random() < LOST_ANSWERS:
            raise AnswerLostError(name)
        return answer

    def _of(self, region: Region) -> Visibility:
        return self._visibility.setdefault(region.place.region, Visibility(self._random))

    async def _polled(self, poll: Awaitable[Parameters]) -> Parameters:
        """A poll that goes on when its client is gone: whatever it gets is lost, as AWS's guide warns."""
        task = asyncio.create_task(_awaited(poll), name="a poll on a bad day")
        self._dropped.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: "asyncio.Task[Parameters]") -> None:
        self._dropped.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it

    def of_another_service(self, request: Request, response: Answer) -> Answer:
        """S3 denies whoever may not list a bucket the knowledge that a key is missing."""
        if response.status != 404 or "/s3/aws4_request" not in request.header("authorization"):
            return response
        key = request.path.lstrip("/").partition("/")[2]
        if not key or request.method not in {"GET", "HEAD"} or b"NoSuchBucket" in response.body:
            return response
        body = b"" if request.method == "HEAD" else _DENIED
        return Answer(403, body, [("Content-Type", "application/xml")])

    def delivered(self, events: Sequence[Item]) -> list[Item]:
        """`events` as EventBridge delivers them: some never, some twice, in any order."""
        arrived = [event for event in events if self._random.random() >= LOST_EVENTS]
        arrived += [event for event in arrived if self._random.random() < DOUBLED_EVENTS]
        self._random.shuffle(arrived)
        return arrived

    def close(self) -> None:
        """Ends the polls whose clients are gone."""
        for task in list(self._dropped):
            task.cancel()


async def _awaited(answer: Awaitable[Parameters]) -> Parameters:
    return await answer
