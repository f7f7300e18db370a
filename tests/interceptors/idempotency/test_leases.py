"""Work that is cut off, goes on without its task, or is silent: who may do it again, and when."""

import time

import anyio
import pytest
import structlog

from interceptors import Idempotent, Timeout
from interceptors.chain import compose
from interceptors.idempotent import AlreadyInProgressError, LeaseLostError
from interceptors.records import RecordStore, RecordStoreError
from interceptors.timeout import HandlerTimeoutError
from tests.interceptors.idempotency.work import Charging, Closable, until_renewed
from tests.interceptors.tasks import known
from workers.task import CancelReason, Task


async def test_the_zombie_of_a_timed_out_attempt_does_not_charge_the_card_twice(records: RecordStore, renewals):
    """Its work goes on after its task was closed, and is the only one: the next attempt gets its result."""
    async with Idempotent(records, lease=1.5) as once:
        handler, run, results = Charging(), Closable(), []

        async def slow(task: Task) -> object:
            run.cancel(CancelReason.TASK_CLOSED)  # Step Functions gives it up and hands the work out again
            await until_renewed(renewals, 3)  # longer than one lease
            assert task.cancelled
            return await handler(task)

        async def first() -> None:
            with run.scope:
                await once(known(run=run), slow)
                raise AssertionError("nobody waits for the result of a closed task")

        async def second() -> None:
            results.append(await once(known(retry=1), handler))

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.1)
            group.start_soon(second)
        assert run.scope.cancelled_caught
        assert results == ["charged"]
        assert handler.charges == 1


async def test_a_closed_attempt_that_stops_by_itself_makes_way_at_once(records: RecordStore):
    async with Idempotent(records, wait=0.0) as once:
        run = Closable()

        async def stopping(task: Task) -> None:
            run.cancel(CancelReason.TASK_CLOSED)
            await anyio.sleep(0.01)
            task.check()

        with run.scope:
            await once(known(run=run), stopping)
        assert run.scope.cancelled_caught
        assert await once(known(retry=1), Charging()) == "charged"


async def test_when_the_worker_stops_work_is_cut_off_and_its_lease_stays(records: RecordStore):
    async with Idempotent(records, lease=1.2, wait=10.0) as once:
        run = Closable()

        async def slow(task: Task) -> None:
            run.cancel(CancelReason.SHUTDOWN)
            await anyio.sleep_forever()

        with run.scope:
            await once(known(run=run), slow)
        begun = time.monotonic()
        assert await once(known(retry=1), Charging()) == "charged"
        assert time.monotonic() - begun > 0.2, "not before the lease was over"


async def test_when_the_worker_drains_work_of_a_closed_task_is_cut_off(records: RecordStore):
    async with Idempotent(records) as once:
        run = Closable()

        async def slow(task: Task) -> None:
            run.cancel(CancelReason.TASK_CLOSED)
            with anyio.move_on_after(0.1):
                await anyio.sleep_forever()
            run.draining.set()
            await anyio.sleep_forever()

        with anyio.fail_after(10), run.scope:
            await once(known(run=run), slow)
        assert run.scope.cancelled_caught


async def test_a_handler_that_missed_its_timeout_keeps_its_lease(records: RecordStore):
    async def stuck(task: Task) -> None:
        await anyio.sleep_forever()

    async with Idempotent(records, wait=0.0) as once:
        with pytest.raises(HandlerTimeoutError):
            await compose([once, Timeout(0.02)], stuck)(known())
        with pytest.raises(AlreadyInProgressError):
            await once(known(retry=1), Charging())


async def test_a_lease_is_renewed_while_the_handler_runs(records: RecordStore, renewals: list[float]):
    async with Idempotent(records, lease=1.5, wait=0.0) as once:

        async def slow(task: Task) -> str:
            for times in (1, 2, 3):
                await until_renewed(renewals, times)
                with pytest.raises(AlreadyInProgressError):
                    await once(known(retry=1), slow)
            return "done"

        assert await once(known(), slow) == "done"


async def test_an_attempt_that_was_silent_for_too_long_is_stopped(records: RecordStore):
    async with Idempotent(records, lease=0.3) as once:
        cancelled = []

        async def frozen(task: Task) -> None:
            # As if the process had been stopped for a while: somebody else takes the work over.
            later = time.time() + 60
            assert await records.begin(task.idempotency_key, "other", now=later, until=later + 60) is None
            try:
                await anyio.sleep(30)
            finally:
                cancelled.append(True)

        with pytest.raises(LeaseLostError, match="another attempt may have begun") as lost:
            await once(known(), frozen)
        assert lost.value.error_name == "Worker.LeaseLost"
        assert cancelled == [True]


async def test_a_lease_that_cannot_be_renewed_is_lost(records: RecordStore, monkeypatch: pytest.MonkeyPatch):
    async def refuse(*_: object, **__: object) -> bool:
        raise RecordStoreError("down")

    async with Idempotent(records, lease=0.3) as once:
        monkeypatch.setattr(records, "renew", refuse)

        async def handler(task: Task) -> None:
            await anyio.sleep(30)

        with structlog.testing.capture_logs() as logs, pytest.raises(LeaseLostError):
            await once(known(), handler)
        assert {line["event"] for line in logs} == {"lease not renewed"}


async def test_work_that_was_taken_over_meanwhile_is_said(records: RecordStore, monkeypatch):
    async def lost(*_: object, **__: object) -> bool:
        return False

    async with Idempotent(records) as once:
        monkeypatch.setattr(records, "finish", lost)
        with structlog.testing.capture_logs() as logs:
            assert await once(known(), Charging()) == "charged"
        assert logs[0]["event"].startswith("work done twice")
