"""`Callbacks`: tasks are finished by their keys, from any process."""

import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Literal, Self

import anyio
import structlog
from aiobotocore.session import AioSession

from workers.arns import check_name
from workers.backoff import Backoff
from workers.callbacks import ledger
from workers.callbacks.consumer import Consumer, Message
from workers.callbacks.errors import AmbiguousKeyError, CallbackStoreError
from workers.callbacks.ledger import Entry, Finish, Outcome, Step, Todo
from workers.callbacks.resources import create_queues, open_sqs, queue_url
from workers.callbacks.store import DAY, TokenStore, check_store
from workers.errors import ActivityError, ErrorName, UsageError
from workers.failures import Failure, failure, refusal
from workers.machines.notation.callbacks import queue_name
from workers.metrics import Metrics
from workers.payloads import Payloads
from workers.settings import Settings
from workers.stepfunctions.client import open_client
from workers.stepfunctions.connection import Connection, connect
from workers.stepfunctions.protocol import OUTPUT_LIMIT, StepFunctions, TaskClosedError
from workers.supervisor.tasks.reports import Fate, Reports

log = structlog.get_logger(__name__)

_FRESH = 5.0
"""Seconds that a delivery may take before somebody else tries, too."""
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Callbacks:
    """The callbacks of an application in an environment. An async context manager.

    Its queue is `ENVIRONMENT--APPLICATION-callbacks`, that of states with `resource: callback:APPLICATION` in that
    namespace. `store`: `dynamodb` (a table of the same name), `dynamodb://TABLE` or `sqlite:///FILE`. Without one it is
    `dynamodb` on AWS; on the embedded engine (`settings.local`) a file, named like the queue with `.sqlite`, in the
    working directory.
    `keys`: whether executions may wait for the same key at the same time: `refuse` fails the second one as
    `Worker.CallbackKeyInUse`; `apart` keeps them apart, and whoever finishes one says which (`execution=`).
    `payloads`: a store for results over 256 KiB, as in `s3://bucket/prefix`. `waits`, `keep`: seconds after which a
    token that nobody finished, and a finish, are forgotten. `visibility`: seconds after which a message is read again
    that a consumer died with. `settings` and `session` say where AWS is, as for a worker.
    """

    def __init__(
        self,
        environment: str | None,
        application: str | None,
        *,
        store: str | None = None,
        keys: Literal["refuse", "apart"] = "refuse",
        payloads: str | None = None,
        waits: float = 366 * DAY,
        keep: float = 15 * DAY,
        visibility: float = 30.0,
        settings: Settings | None = None,
        session: AioSession | None = None,
    ) -> None:
        self.name = check_name(queue_name(application, environment), "queue")
        """The name of the queue."""
        if keys not in {"refuse", "apart"}:
            raise UsageError(f"keys is {keys!r}: it must be refuse or apart")
        self._settings = settings or Settings()
        self._kind, self._where = check_store(store, self.name, local=self._settings.local)
        self._apart = keys == "apart"
        self._payloads = Payloads(payloads) if payloads else None
        self._waits, self._keep, self._visibility = waits, keep, visibility
        self._session = session
        self._stack = AsyncExitStack()
        self._connection: Connection
        self._store: TokenStore
        self._client: StepFunctions
        self._reports: Reports

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._connection = await connect(self._settings, self._session)
            self._store = await stack.enter_async_context(self._open_store())
            self._client = await stack.enter_async_context(open_client(self._connection, polls=1, reports=50))
            self._reports = Reports(self._client, Metrics(active=False))
            if self._payloads:
                self._payloads.use_aws(self._connection.session, self._connection.endpoint_url)
                await stack.enter_async_context(self._payloads)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failed: object) -> None:
        await self._stack.aclose()

    async def create(self) -> None:
        """Creates the queue, its dead-letter queue and the table, where they are not there yet."""
        await self._store.create()
        async with open_sqs(self._connection) as sqs:
            await create_queues(sqs, self.name, visibility=self._visibility)

    async def consume(self) -> None:
        """Takes tokens from the queue, and delivers finishes that wait for them, until it is cancelled.

        One process at least has to do so; any number may. Raises `UsageError` when there is no queue.
        """
        async with open_sqs(self._connection) as sqs:
            consumer = Consumer(sqs, await queue_url(sqs, self.name), self._arrived)
            log.info("callbacks consumed", queue=self.name)
            async with anyio.create_task_group() as group:
                group.start_soon(self._deliver_pending, name="deliver callbacks")
                group.start_soon(consumer.run, name="consume callbacks")

    async def success(self, key: str, result: Any = None, *, execution: str | None = None) -> Outcome:
        """Finishes the task that waits for `key` with `result`, any JSON value.

        `execution`, a name or an ARN, where several wait. The first finish of a key counts: it is kept when no task
        waits for it yet, so it does not matter which comes first. Raises `AmbiguousKeyError`, `UsageError` for a
        result that no output can hold, `CallbackStoreError`.
        """
        if self._payloads:
            result = await self._payloads.offload(result)
        try:
            output = _encode(result)
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"the result for {key} is nothing that JSON can hold: {error}") from None
        if (size := len(output.encode())) > OUTPUT_LIMIT:
            raise UsageError(
                f"the result for {key} has {size:,} bytes of JSON, Step Functions takes {OUTPUT_LIMIT:,}: "
                "give less, or give Callbacks a payload store"
            )
        return await self._finish(key, Finish(at=time.time(), output=output), execution)

    async def failure(self, key: str, error: str, cause: Any = "", *, execution: str | None = None) -> Outcome:
        """Fails the task that waits for `key`: with the name `error`, and a cause, text or JSON. As `success`."""
        told = failure(ActivityError(error, cause=cause))
        return await self._finish(key, Finish(at=time.time(), error=told.error, cause=told.cause), execution)

    async def heartbeat(self, key: str, *, execution: str | None = None) -> bool:
        """Says that the work for `key` goes on. False when no task waits for it, or none any more."""
        entries, _ = await self._entries(key)
        found = ledger.find_waiting(entries, execution)
        _check(found, key)
        if not (found.entry and (token := found.entry.token)):
            return False
        try:
            await self._client.send_task_heartbeat(token)
        except TaskClosedError:
            await self._change(key, lambda entries: ledger.settle(entries, token=token, accepted=False))
            return False
        return True

    async def _finish(self, key: str, how: Finish, execution: str | None) -> Outcome:
        step = await self._change(key, lambda entries: ledger.finish(entries, how, execution))
        _check(step, key)
        if step.todo is Todo.DELIVER and step.entry:
            return await self._deliver(key, step.entry)
        return Outcome.KEPT if step.entry else Outcome.ALREADY_FINISHED

    async def _arrived(self, message: Message) -> None:
        """A message with a token came. Once this returns, it is deleted."""

        def arrive(entries: ledger.Entries) -> Step:
            return ledger.arrive(
                entries,
                token=message.token,
                execution=message.execution,
                entered=message.entered,
                sent=message.sent,
                apart=self._apart,
            )

        step = await self._change(message.key, arrive)
        if step.todo is Todo.REFUSE:
            said = f"a task of another execution waits for the key {message.key!r}"
            await self._reports.failure(message.token, refusal(ErrorName.CALLBACK_KEY_IN_USE, said))
            log.warning("callback refused", key=message.key, execution=message.execution)
        elif step.todo is Todo.DELIVER and step.entry:
            await self._deliver(message.key, step.entry)

    async def _deliver(self, key: str, entry: Entry) -> Outcome:
        token, how = entry.token, entry.finish
        if token is None or how is None:
            raise AssertionError("what is delivered has a token and a finish")
        if how.output is not None:
            fate, _ = await self._reports.success(token, how.output)
        else:
            fate = await self._reports.failure(token, Failure(how.error, how.cause))
        accepted = fate is not Fate.CLOSED
        await self._change(key, lambda entries: ledger.settle(entries, token=token, accepted=accepted))
        log.info("callback delivered" if accepted else "callback closed", key=key, execution=entry.execution)
        return Outcome.DELIVERED if accepted else Outcome.CLOSED

    async def _deliver_pending(self) -> None:
        """Delivers what others have begun to deliver, and did not come back from."""
        while True:
            await anyio.sleep(_FRESH)
            try:
                for key in await self._store.pending(before=time.time() - _FRESH, limit=100):
                    entries, _ = await self._entries(key)
                    for entry in entries:
                        if entry.undelivered:
                            await self._deliver(key, entry)
            except CallbackStoreError as error:
                log.warning("callbacks cannot be read", error=str(error))

    async def _change(self, key: str, step: Callable[[ledger.Entries], Step]) -> Step:
        """Takes a step, again and again until nobody else has changed the entries meanwhile."""
        backoff = Backoff(initial=0.01, maximum=1.0)
        while True:
            entries, version = await self._entries(key)
            taken = step(entries)
            if taken.entries == entries:
                return taken
            lasts = self._waits if any(entry.waits for entry in taken.entries) else self._keep
            pending = any(entry.undelivered for entry in taken.entries)
            text, expires = ledger.dump(taken.entries), time.time() + lasts
            if await self._store.save(key, text, version=version, expires=expires, pending=pending):
                return taken
            await anyio.sleep(backoff.next())

    async def _entries(self, key: str) -> tuple[ledger.Entries, int]:
        """What is known about a key, and the version to be replaced."""
        if not key or len(key.encode()) > 2048:
            raise UsageError(f"the key {key[:80]!r} has {len(key.encode()):,} bytes: 1 to 2,048 are allowed")
        found = await self._store.load(key)
        if found is None:
            return (), 0
        return (() if found.expired else ledger.load(found.text)), found.version

    def _open_store(self) -> TokenStore:
        if self._kind == "sqlite":
            from workers.callbacks.sqlite import SqliteTokens

            return SqliteTokens(self._where)
        from workers.callbacks.dynamodb import DynamoDBTokens

        return DynamoDBTokens(self._where, self._connection)


def _check(step: Step, key: str) -> None:
    if step.todo is Todo.CHOOSE:
        raise AmbiguousKeyError(f"several executions wait for the key {key!r}: say which one with execution=NAME")
