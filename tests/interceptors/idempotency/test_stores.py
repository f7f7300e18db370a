"""Where the records are: shared, refused, or out of order."""

from pathlib import Path

import pytest
import structlog

from interceptors import Idempotent
from interceptors.idempotent import ResultNotKeptError
from interceptors.record_stores import open_records
from interceptors.records import RecordStore, RecordStoreError
from interceptors.records_dynamodb import DynamoDBRecords
from interceptors.records_sqlite import SqliteRecords
from tests.interceptors.idempotency.conftest import SESSION
from tests.interceptors.idempotency.work import Charging
from tests.interceptors.tasks import known
from workers.errors import RegistrationError, UsageError
from workers.local import LocalStepFunctions
from workers.payloads import PayloadStream


async def test_a_store_that_fails_after_the_work_does_not_make_it_fail(records: RecordStore, monkeypatch):
    async def refuse(*_: object, **__: object) -> bool:
        raise RecordStoreError("down")

    async with Idempotent(records) as once:
        monkeypatch.setattr(records, "finish", refuse)
        with structlog.testing.capture_logs() as logs:
            assert await once(known(), Charging()) == "charged"
        assert logs[0]["event"].startswith("result not kept")


@pytest.mark.parametrize("result", [PayloadStream(b"x"), "x" * 500_000], ids=["stream", "large"])
async def test_a_result_that_cannot_be_kept_is_not_worked_out_again(table: str, engine: LocalStepFunctions, result):
    async with Idempotent(DynamoDBRecords(table, session=SESSION, endpoint_url=engine.url)) as once:
        handler = Charging(result)
        assert await once(known(), handler) is result
        with pytest.raises(ResultNotKeptError, match="list Payload after Idempotent") as refused:
            await once(known(retry=1), handler)
        assert refused.value.error_name == "Worker.ResultNotKept"
        assert handler.charges == 1


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
