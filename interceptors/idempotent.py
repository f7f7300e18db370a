"""Work that is done once, though Step Functions may hand the same work out again."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import anyio
import anyio.lowlevel
import structlog

from interceptors.chain import CallNext
from interceptors.record_stores import open_records, use_aws
from interceptors.records import Record, RecordStore, RecordStoreError
from interceptors.timeout import HandlerTimeoutError
from workers.backoff import Backoff
from workers.errors import ErrorName, RegistrationError, WorkersError
from workers.payloads.document import encode
from workers.payloads.errors import PayloadNotJsonError
from workers.payloads.together import background
from workers.task import CancelReason, Task

log = structlog.get_logger(__name__)

DAY = 86_400.0


class NoIdempotencyKeyError(WorkersError):
    """Nothing says which work a task is."""

    error_name = ErrorName.NO_IDEMPOTENCY_KEY


class AlreadyInProgressError(WorkersError):
    """Another attempt of the same work still runs."""

    error_name = ErrorName.ALREADY_IN_PROGRESS


class LeaseLostError(WorkersError):
    """This attempt was silent for longer than its lease."""

    error_name = ErrorName.LEASE_LOST


class ResultNotKeptError(WorkersError):
    """The work was done, but its result was too large to keep."""

    error_name = ErrorName.RESULT_NOT_KEPT


class Idempotent:
    """Lets only one attempt of the same work run; later attempts get its result.

    "The same work" is the same input in the same state of the same execution (`task.idempotency_key`), or what `key`
    makes of a task. `store` is `dynamodb://TABLE`, `sqlite:///FILE` or a `RecordStore`.

    An attempt holds a lease of `lease` seconds, renewed while it runs. When Step Functions gives it up, its handler is
    not cancelled, so that no work is cut off half way; `task.cancelled` says so to one that wants to stop. The next
    attempt waits for up to `wait` seconds for its result, then fails as `Worker.AlreadyInProgress`. If the handler
    raises, the next attempt may try at once. If its worker was stopped, or it did not answer to a timeout, only when
    the lease is over, because a thread may still be at work. Results are kept for `keep` seconds: by default past
    the 14 days in which an execution can be redriven.

    List `Payload` after it, if results may be large: then it keeps claims.
    """

    def __init__(
        self,
        store: str | RecordStore,
        *,
        key: Callable[[Task], str | None] = lambda task: task.idempotency_key,
        lease: float = 60.0,
        wait: float = 60.0,
        keep: float = 15 * DAY,
    ) -> None:
        for name, value, least in (("lease", lease, 0.1), ("wait", wait, 0.0), ("keep", keep, 1.0)):
            if not value >= least:
                raise RegistrationError(f"Idempotent: {name} is {value!r}, it must be {least:g} seconds or more")
        self._store = open_records(store) if isinstance(store, str) else store
        self._key = key
        self._lease = lease
        self._wait = wait
        self._keep = keep

    def use_aws(self, session: Any, endpoint_url: str | None = None) -> None:
        """The worker's own AWS session and endpoint, for a table that was given none. Before entering."""
        use_aws(self._store, session, endpoint_url)

    async def __aenter__(self) -> Self:
        """Opens the store."""
        await self._store.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Closes the store."""
        await self._store.__aexit__(*failure)

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, or gives the result of the attempt that did."""
        key = self._key(task)
        if key is None:
            raise NoIdempotencyKeyError(
                f"activity {task.activity}: nothing in the task says which work it is: wrap its input in the "
                "definition (`context`), or give Idempotent a `key`"
            )
        owner = uuid4().hex
        if (record := await self._begun(key, owner)) is not None:
            return _result(record, task)
        async with _to_its_end(task):
            async with self._leased(key, owner):
                try:
                    result = await call_next(task)
                except HandlerTimeoutError:
                    raise
                except Exception:
                    await self._release(key, owner)
                    raise
            await self._finish(key, owner, result)
            return result
        raise AssertionError("work that was cut off ends with the cancellation of its task")

    async def _begun(self, key: str, owner: str) -> Record | None:
        """None when this attempt may run; else the record of the one that has."""
        backoff = Backoff(initial=0.2, maximum=2.0)
        patience = anyio.current_time() + self._wait
        while True:
            now = time.time()
            record = await self._store.begin(key, owner, now=now, until=now + self._lease)
            if record is None or record.done:
                return record
            if anyio.current_time() >= patience:
                raise AlreadyInProgressError(f"another attempt of the same work still runs, after {self._wait:g} s")
            await anyio.sleep(backoff.next())

    @asynccontextmanager
    async def _leased(self, key: str, owner: str) -> AsyncIterator[None]:
        """Renews the lease while it is entered; cancels what is in it, and raises `LeaseLostError`, when it cannot."""
        lost = False
        async with background() as group:

            async def renew() -> None:
                nonlocal lost
                await self._renewed(key, owner)
                lost = True
                group.cancel_scope.cancel()

            group.start_soon(renew, name="lease")
            yield
        if lost:
            raise LeaseLostError(f"the lease of {self._lease:g} s was lost: another attempt may have begun the work")

    async def _renewed(self, key: str, owner: str) -> None:
        """Renews the lease again and again; returns when it is lost."""
        ends = anyio.current_time() + self._lease
        while anyio.current_time() < ends:
            await anyio.sleep(self._lease / 3)
            started = anyio.current_time()
            try:
                with anyio.move_on_after(ends - started):
                    if not await self._store.renew(key, owner, until=time.time() + self._lease):
                        return
                    ends = started + self._lease
            except RecordStoreError as error:
                log.warning("lease not renewed", error=str(error))

    async def _release(self, key: str, owner: str) -> None:
        try:
            await self._store.release(key, owner)
        except RecordStoreError as error:
            log.warning("lease not released", error=str(error))

    async def _finish(self, key: str, owner: str, result: Any) -> None:
        """Records the result. The work is done, so that nothing here may make it look as if it was not."""
        try:
            kept: bytes | None = encode(result)
        except PayloadNotJsonError:
            kept = None
        with anyio.CancelScope(shield=True):
            try:
                if not await self._store.finish(key, owner, kept, until=time.time() + self._keep):
                    log.warning("work done twice: another attempt has taken it over")
            except RecordStoreError as error:
                log.warning("result not kept: another attempt would do the work again", error=str(error))


@asynccontextmanager
async def _to_its_end(task: Task) -> AsyncIterator[None]:
    """Lets what is in it finish when its task is closed; cancels it when the worker stops."""
    work, drained = anyio.CancelScope(shield=True), anyio.CancelScope(shield=True)

    async def watch() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            if task.cancel_reason is CancelReason.TASK_CLOSED:
                with drained:
                    await task.draining
            work.cancel()

    async with background() as group:
        group.start_soon(watch, name="finish work")
        try:
            with work:
                yield
        finally:
            drained.cancel()
    await anyio.lowlevel.checkpoint()  # raises what the shield has held back


def _result(record: Record, task: Task) -> Any:
    if record.result is None:
        raise ResultNotKeptError(
            f"activity {task.activity}: an earlier attempt has done this work, but its result was too large to keep: "
            "list Payload after Idempotent, so that a claim is kept"
        )
    log.info("work was done by an earlier attempt; its result is reported again")
    return json.loads(record.result)
