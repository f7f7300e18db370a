"""Work that is done once, over real records: a SQLite file, and DynamoDB over HTTP."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import anyio
import boto3
import pytest
import structlog
from aiobotocore.session import get_session

from interceptors import Idempotent, Payload, Timeout
from interceptors.chain import compose
from interceptors.idempotent import AlreadyInProgressError, LeaseLostError, NoIdempotencyKeyError, ResultNotKeptError
from interceptors.record_stores import open_records
from interceptors.records import RecordStore, RecordStoreError
from interceptors.records_dynamodb import DynamoDBRecords
from interceptors.records_sqlite import SqliteRecords
from interceptors.timeout import HandlerTimeoutError
from tests.interceptors.tasks import Run, known, make
from workers.errors import RegistrationError, UsageError
from workers.local import LocalStepFunctions
from workers.payloads import PayloadStream
from workers.task import CancelReason, Task

SESSION = get_session()
SESSION.set_credentials("test", "test")
SESSION.set_config_variable("region", "us-east-1")


@pytest.fixture
def table(engine: LocalStepFunctions) -> str:
    name = f"work-{uuid4().hex}"
    client = boto3.client(
        "dynamodb",
        endpoint_url=engine.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()
    return name


@pytest.fixture(params=["sqlite", "dynamodb"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> RecordStore:
    if request.param == "sqlite":
        return SqliteRecords(tmp_path / "work.sqlite")
    engine, table = request.getfixturevalue("engine"), request.getfixturevalue("table")
    return DynamoDBRecords(table, session=SESSION, endpoint_url=engine.url)


@pytest.fixture
async def once(records: RecordStore) -> AsyncIterator[Idempotent]:
    async with Idempotent(records) as once:
        yield once


@pytest.fixture
def renewals(records: RecordStore, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When leases were renewed."""
    found: list[float] = []
    renew = records.renew

    async def noted(key: str, owner: str, *, until: float) -> bool:
        renewed = await renew(key, owner, until=until)
        found.append(until)
        return renewed

    monkeypatch.setattr(records, "renew", noted)
    return found


async def until_renewed(renewals: list[float], times: int) -> None:
    with anyio.fail_after(30):
        while len(renewals) < times:
            await anyio.sleep(0.02)


class Charging:
    """A handler with an effect that must happen once."""

    def __init__(self, result: object = "charged") -> None:
        self.charges = 0
        self.result = result

    async def __call__(self, task: Task) -> object:
        self.charges += 1
        return self.result


async def test_a_later_attempt_gets_the_result_of_the_first(once: Idempotent):
    handler = Charging({"receipt": "ü", "n": [1, 2.5, None]})
    assert await once(known({"card": 1}), handler) == {"receipt": "ü", "n": [1, 2.5, None]}
    assert await once(known({"card": 1}, retry=1), handler) == {"receipt": "ü", "n": [1, 2.5, None]}
    assert handler.charges == 1


async def test_other_work_is_other_work(once: Idempotent):
    handler = Charging()
    await once(known({"card": 1}), handler)
    await once(known({"card": 2}), handler)
    await once(make({"card": 1}, execution="arn:other", state="Charge"), handler)
    assert handler.charges == 3


async def test_when_the_handler_raises_the_next_attempt_may_try_at_once(once: Idempotent):
    async def failing(task: Task) -> None:
        raise ConnectionError("card reader is off")

    with pytest.raises(ConnectionError):
        await once(known(), failing)
    handler = Charging()
    assert await once(known(retry=1), handler) == "charged"


async def test_an_attempt_waits_for_the_result_of_one_that_still_runs(once: Idempotent):
    handler, begun = Charging(), anyio.Event()
    results = []

    async def slow(task: Task) -> object:
        begun.set()
        await anyio.sleep(0.3)
        return await handler(task)

    async with anyio.create_task_group() as group:

        async def first() -> None:
            results.append(await once(known(), slow))

        group.start_soon(first)
        await begun.wait()
        results.append(await once(known(retry=1), handler))
    assert results == ["charged", "charged"]
    assert handler.charges == 1


async def test_an_attempt_does_not_wait_for_ever(records: RecordStore):
    async with Idempotent(records, wait=0.0) as once:

        async def handler(task: Task) -> None:
            with pytest.raises(AlreadyInProgressError, match="another attempt of the same work still runs") as refused:
                await once(known(retry=1), handler)
            assert refused.value.error_name == "Worker.AlreadyInProgress"

        await once(known(), handler)


class Closable(Run):
    """The worker's side of a task that can be cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = anyio.CancelScope()

    def cancel(self, reason: CancelReason) -> None:
        self.cancel_reason = reason
        self.scope.cancel()


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


async def test_the_first_of_many_wins(once: Idempotent):
    handler = Charging()

    async def attempt(number: int) -> None:
        assert await once(known(retry=number), handler) == "charged"

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(attempt, number)
    assert handler.charges == 1


async def test_results_are_forgotten_after_a_while(records: RecordStore):
    async with Idempotent(records, keep=1.0) as once:
        handler = Charging()
        await once(known(), handler)
        await anyio.sleep(1.1)
        await once(known(), handler)
        assert handler.charges == 2


async def test_a_store_that_fails_after_the_work_does_not_make_it_fail(records: RecordStore, monkeypatch):
    async def refuse(*_: object, **__: object) -> bool:
        raise RecordStoreError("down")

    async with Idempotent(records) as once:
        monkeypatch.setattr(records, "finish", refuse)
        with structlog.testing.capture_logs() as logs:
            assert await once(known(), Charging()) == "charged"
        assert logs[0]["event"].startswith("result not kept")


async def test_work_that_was_taken_over_meanwhile_is_said(records: RecordStore, monkeypatch):
    async def lost(*_: object, **__: object) -> bool:
        return False

    async with Idempotent(records) as once:
        monkeypatch.setattr(records, "finish", lost)
        with structlog.testing.capture_logs() as logs:
            assert await once(known(), Charging()) == "charged"
        assert logs[0]["event"].startswith("work done twice")


@pytest.mark.parametrize("result", [PayloadStream(b"x"), "x" * 500_000], ids=["stream", "large"])
async def test_a_result_that_cannot_be_kept_is_not_worked_out_again(table: str, engine: LocalStepFunctions, result):
    async with Idempotent(DynamoDBRecords(table, session=SESSION, endpoint_url=engine.url)) as once:
        handler = Charging(result)
        assert await once(known(), handler) is result
        with pytest.raises(ResultNotKeptError, match="list Payload after Idempotent") as refused:
            await once(known(retry=1), handler)
        assert refused.value.error_name == "Worker.ResultNotKept"
        assert handler.charges == 1


async def test_with_payload_inside_large_results_are_kept_as_claims(records: RecordStore):
    async with Idempotent(records) as once, Payload("memory://results") as payload:
        handler = Charging("x" * 500_000)
        chain = compose([once, payload], handler)
        first = await chain(known())
        assert first["bytes"] == 500_002
        assert await chain(known(retry=1)) == first
        assert handler.charges == 1


async def test_a_task_that_nobody_can_tell_apart_is_refused_by_name(once: Idempotent):
    with pytest.raises(NoIdempotencyKeyError, match="give Idempotent a `key`") as refused:
        await once(make({"card": 1}), Charging())
    assert refused.value.error_name == "Worker.NoIdempotencyKey"


async def test_a_key_of_ones_own(records: RecordStore):
    async with Idempotent(records, key=lambda task: f"order {task.input['order']}") as once:
        handler = Charging()
        await once(make({"order": 1, "time": 1}), handler)
        await once(make({"order": 1, "time": 2}), handler)
        await once(make({"order": 2, "time": 2}), handler)
        assert handler.charges == 2


async def test_a_store_that_cannot_be_used_fails_by_name(engine: LocalStepFunctions, tmp_path: Path):
    async with Idempotent(DynamoDBRecords("no-such-table", session=SESSION, endpoint_url=engine.url)) as once:
        with pytest.raises(RecordStoreError, match="no-such-table") as failed:
            await once(known(), Charging())
        assert failed.value.error_name == "Worker.RecordStoreFailed"
    with pytest.raises(RecordStoreError, match="unable to open database file"):
        await Idempotent(f"sqlite://{tmp_path}/missing/x.sqlite").__aenter__()


async def test_two_processes_may_share_a_file(tmp_path: Path):
    async with SqliteRecords(tmp_path / "x") as one, SqliteRecords(tmp_path / "x") as other:
        assert await one.begin("key", "a", now=1, until=10) is None
        assert (await other.begin("key", "b", now=2, until=11)).done is False
        assert await other.begin("key", "b", now=12, until=20) is None
        assert await one.finish("key", "a", b"1", until=30) is False
        await one.release("key", "a")
        assert await other.finish("key", "b", b"2", until=30) is True
        await other.release("key", "b")
        assert (await one.begin("key", "a", now=13, until=30)).result == b"2"


async def test_the_sessions_of_a_worker_are_used_where_none_was_given(table: str, engine: LocalStepFunctions):
    once = Idempotent(f"dynamodb://{table}")
    once.use_aws(SESSION, engine.url)
    async with once:
        assert await once(known(), Charging()) == "charged"
    Idempotent("sqlite:///x").use_aws(SESSION, None)


@pytest.mark.parametrize("url", ["dynamodb://", "dynamodb://table/x", "sqlite://x", "sqlite:///", "redis://x", ""])
def test_a_url_that_is_no_store_is_refused(url: str):
    with pytest.raises(UsageError, match="store of records"):
        open_records(url)


@pytest.mark.parametrize("options", [{"lease": 0}, {"wait": -1}, {"keep": 0}, {"lease": float("nan")}])
def test_times_that_cannot_work_are_refused(options: dict):
    with pytest.raises(RegistrationError, match="Idempotent: "):
        Idempotent("sqlite:///x", **options)
