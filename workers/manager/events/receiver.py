"""Takes status changes from their queue, and has them written down.

Several services may take from one queue: each message comes to one of them, and again if that dies. Messages that come
twice, late or out of order say nothing new, those of others' executions are passed over, and what nobody understands
goes to the dead letter queue or, where there is none, is deleted, so that it does not come for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from workers.backoff import Backoff
from workers.manager.errors import ManagerError
from workers.manager.events.message import StatusChange, latest, read_event
from workers.manager.events.proof import acknowledge, is_proof
from workers.manager.events.queue import OpenQueue
from workers.manager.store.interface import Store
from workers.manager.sync.recorder import Recorder

log = structlog.get_logger(__name__)

_BATCHES = 4
"""So many batches are written side by side; then none is received."""
WAIT = 10
"""Seconds that SQS holds a poll. Messages that come to a poll whose service has gone are late by half a minute."""
_AT_ONCE = 10
"""Messages of one poll (the most it allows)."""
_PAUSE = 0.1
"""Seconds from one poll to the next, the less the more it brought: a poll of one message costs as much as one of ten,
and so does what follows from it."""

_FAULTS = (ClientError, BotoCoreError, OSError, TimeoutError)

Heard = Callable[[str, int], None]
"""Told how many messages were of a kind: `news`, `known` or `strange`."""


class Receiver:
    """Hands status changes to the recorder, and deletes their messages when they are written."""

    def __init__(self, queue: OpenQueue, store: Store, recorder: Recorder, heard: Heard | None = None) -> None:
        self._queue = queue
        self._store = store
        self._recorder = recorder
        self._heard = heard or _unheard
        self._room = anyio.CapacityLimiter(1 + _BATCHES)

    async def run(self) -> None:
        """Receives until it is cancelled: one poll is open, and some batches are written beside it."""
        backoff = Backoff(initial=0.5, maximum=20.0)
        async with anyio.create_task_group() as group:
            while True:
                try:
                    async with self._room:
                        answer = await self._queue.sqs.receive_message(
                            QueueUrl=self._queue.url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=WAIT
                        )
                except _FAULTS as error:
                    delay = backoff.next()
                    log.warning("events cannot be received", error=str(error), again_in=delay)
                    await anyio.sleep(delay)
                    continue
                backoff.reset()
                if messages := answer.get("Messages"):
                    group.start_soon(self._careful, messages, name="write events")
                    await anyio.sleep(_PAUSE * (1 - len(messages) / _AT_ONCE))

    async def _careful(self, messages: Sequence[Mapping[str, Any]]) -> None:
        async with self._room:
            try:
                await self.take(messages)
            except (*_FAULTS, ManagerError) as error:  # they come again
                log.warning("events cannot be written", messages=len(messages), error=str(error))

    async def take(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Writes down what messages say, and deletes them. Raises `StoreUnavailableError`: then they come again."""
        changes: list[StatusChange] = []
        done: list[Mapping[str, Any]] = []
        for message in messages:
            try:
                changes.append(read_event(message["Body"]))
            except ValueError as error:
                log.warning("event not understood", message=message["MessageId"], error=str(error))
                if self._queue.has_dead_letters:
                    continue
            done.append(message)
        news = await self._recorder.record(latest(change for change in changes if not is_proof(change)))
        for change in filter(is_proof, changes):
            await acknowledge(self._store, change)
        self._heard("news", news)
        self._heard("known", len(changes) - news)
        self._heard("strange", len(messages) - len(changes))
        if done:
            entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(done)]
            await self._queue.sqs.delete_message_batch(QueueUrl=self._queue.url, Entries=entries)


def _unheard(kind: str, number: int) -> None:
    del kind, number
