"""Payloads around a handler. (What becomes a claim, and what of it may be read: tests/payloads.)"""

from collections.abc import AsyncIterator
from uuid import uuid4

import anyio
import pytest

from interceptors import Payload
from interceptors.chain import check_interceptors
from tests.interceptors.tasks import known, make
from workers.errors import UsageError
from workers.payloads import Payloads, PayloadStream
from workers.payloads.claim import looks_like_claim
from workers.payloads.errors import PayloadForbiddenError, PayloadTooLargeError, StoreUnavailableError
from workers.task import Task

LARGE = "x" * 100_000


@pytest.fixture
def url() -> str:
    return f"memory://{uuid4().hex}"


@pytest.fixture
async def payload(url: str) -> AsyncIterator[Payload]:
    async with Payload(url) as payload:
        yield payload


async def test_it_is_an_interceptor(payload: Payload):
    assert check_interceptors([payload], "here") == (payload,)


async def test_stepwise_case_11_a_small_task_passes_unchanged(payload: Payload):
    task, result = make({"foo": 3}), {"bar": 4}

    async def handler(given: Task) -> dict:
        assert given.input is task.input
        return result

    assert await payload(task, handler) is result


async def test_stepwise_cases_12_13_17_18_claims_in_values_to_the_handler_claims_out(payload: Payload):
    async def produce(task: Task) -> dict:
        return {"rows": LARGE, "text": LARGE.upper(), "id": 7}

    async def consume(task: Task) -> list:
        assert task.input == {"order": {"lines": LARGE, "id": 7}, "text": LARGE.upper()}
        return [len(task.input["order"]["lines"])]

    output = await payload(make(), produce)
    assert looks_like_claim(output["rows"])
    assert looks_like_claim(output["text"])
    renamed = {"order": {"lines": output["rows"], "id": output["id"]}, "text": output["text"]}
    assert await payload(make(renamed), consume) == [100_000]


async def test_the_options_decide_what_goes(url: str):
    async def handler(task: Task) -> dict:
        return {"a": "small", "b": {"c": LARGE, "d": 1}}

    async with Payload(url, keys=["a"], always=True) as payload:
        assert looks_like_claim((await payload(make(), handler))["a"])
    async with Payload(url, keep=["$.b.c"]) as payload:
        assert (await payload(make(), handler))["b"]["c"] == LARGE
    async with Payload(url, budget=200_000) as payload:
        assert (await payload(make(), handler))["b"]["c"] == LARGE


async def test_the_input_that_identifies_the_work_is_the_one_received(url: str):
    async with Payload(url) as payload, Payloads(url) as payloads:
        task = known(await payloads.offload({"a": LARGE}))

        async def handler(given: Task) -> str:
            return given.idempotency_key

        assert await payload(task, handler) == task.idempotency_key


async def test_a_crafted_input_never_reaches_the_handler(payload: Payload):
    async def handler(task: Task) -> None:
        raise AssertionError("it must not run")

    crafted = {"workers:claim": 1, "uri": "file:///etc/passwd", "bytes": 9, "sha256": "a" * 64, "encoding": "json"}
    with pytest.raises(PayloadForbiddenError):
        await payload(make({"x": crafted}), handler)


async def test_a_stream_goes_in_and_out(url: str):
    async with Payload(url) as payload, Payloads(url) as payloads:
        source = {"video": await payloads.offload(PayloadStream(b"film" * 1000)), "rows": [1, 2]}
        seen: list[PayloadStream] = []

        async def handler(task: Task) -> dict:
            video, rows = task.input["video"], task.input["rows"]
            seen.append(video)

            async def upper():
                async for piece in video:
                    yield piece.upper()

            assert rows == [1, 2]
            return {"video": PayloadStream(upper()), "same": video}

        output = await payload(make(source), handler)
        assert output["same"] == source["video"]
        assert await (await payloads.reload(output))["video"].read() == b"FILM" * 1000


async def test_a_parameter_that_wants_a_stream_gets_one_of_any_claim(url: str):
    async with Payload(url) as payload, Payloads(url) as payloads:
        source = await payloads.offload({"rows": [1, 2], "other": [3]}, keys="all", always=True)

        async def handler(task: Task) -> list:
            return [(await task.input["rows"].read()).decode(), task.input["other"]]

        assert await payload(make(source, streams={("rows",)}), handler) == ["[1,2]", [3]]


async def test_streams_that_nobody_read_are_closed(url: str):
    async with Payload(url) as payload, Payloads(url) as payloads:
        source = await payloads.offload(PayloadStream(b"x" * 1_000_000))
        seen: list[PayloadStream] = []

        async def handler(task: Task) -> None:
            await task.input.read(10)
            seen.append(task.input)
            raise LookupError("no more")

        with pytest.raises(LookupError):
            await payload(make(source), handler)
        assert len(await seen[0].read()) < 1_000_000, "at most what was read already"


async def test_what_the_handler_raises_passes_as_it_is(payload: Payload):
    async def handler(task: Task) -> None:
        raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])

    for task in (make(), known()):
        with pytest.raises(ExceptionGroup, match="several"):
            await payload(task, handler)


def test_options_that_cannot_work_are_refused_when_it_is_made():
    with pytest.raises(UsageError, match="payload store 'bucket'"):
        Payload("bucket")
    with pytest.raises(UsageError, match="keys is 'some'"):
        Payload("memory://x", keys="some")


# Progress


async def test_progress_is_kept_for_the_next_attempt(payload: Payload):
    async def first(task: Task) -> None:
        assert task.progress is None
        task.heartbeat({"row": 1})
        task.heartbeat({"row": 2})
        raise ConnectionError("half way")

    async def second(task: Task) -> dict:
        return task.progress

    with pytest.raises(ConnectionError):
        await payload(known({"n": 1}), first)
    assert await payload(known({"n": 2}, retry=1), second) is None, "other work"
    assert await payload(known({"n": 1}, retry=1), second) == {"row": 2}
    assert await payload(known({"n": 1}, retry=2), second) is None, "forgotten when the work was done"


async def test_progress_is_written_while_the_handler_runs(payload: Payload, url: str):
    task = known()

    async def handler(given: Task) -> None:
        given.heartbeat([1, 2, 3])
        with anyio.fail_after(10):
            while [found async for found in payload.payloads.store.objects("progress")] == []:
                await anyio.sleep(0.01)
        async with Payload(url) as other:
            await other(known(retry=1), second)

    async def second(given: Task) -> None:
        assert given.progress == [1, 2, 3]
        raise LookupError

    with pytest.raises(LookupError):
        await payload(task, handler)
    assert task.run.beats == 1


async def test_progress_from_a_thread(payload: Payload):
    async def first(task: Task) -> None:
        await anyio.to_thread.run_sync(task.heartbeat, "from a thread")
        raise ConnectionError

    async def second(task: Task) -> str:
        return task.progress

    with pytest.raises(ConnectionError):
        await payload(known(), first)
    assert await payload(known(retry=1), second) == "from a thread"
    assert await payload(known(redrive=1), second) is None


async def test_a_redriven_execution_finds_its_progress(payload: Payload):
    async def first(task: Task) -> None:
        task.heartbeat(1)
        raise ConnectionError

    async def second(task: Task) -> int:
        return task.progress

    with pytest.raises(ConnectionError):
        await payload(known(), first)
    assert await payload(known(redrive=1), second) == 1


async def test_a_cancelled_attempt_writes_no_more(payload: Payload):
    """Step Functions may have begun the next attempt already, whose progress is further."""

    async def handler(task: Task) -> None:
        task.heartbeat("late")
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await payload(known(), handler)
    assert [found async for found in payload.payloads.store.objects("progress")] == []


async def test_without_a_context_progress_is_dropped(payload: Payload):
    async def handler(task: Task) -> None:
        task.heartbeat({"row": 1})
        assert task.run.beats == 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await payload(make(), handler)
    assert [folder async for folder in payload.payloads.store.folders()] == []


async def test_progress_that_cannot_be_kept_is_the_handlers_mistake(payload: Payload):
    async def large(task: Task) -> None:
        task.heartbeat("x" * 2_000_000)

    async def strange(task: Task) -> None:
        task.heartbeat(object())

    with pytest.raises(PayloadTooLargeError, match="progress of 2,000,002 bytes"):
        await payload(known(), large)
    with pytest.raises(Exception, match="not a JSON value"):
        await payload(known(), strange)


async def test_a_store_that_fails_does_not_fail_the_work_for_its_progress(payload: Payload, monkeypatch):
    async def refuse(*_: object) -> None:
        raise StoreUnavailableError("down")

    async def handler(task: Task) -> str:
        task.heartbeat(1)
        return "done"

    for method in ("get", "put", "delete"):
        monkeypatch.setattr(payload.payloads.store, method, refuse)
    assert await payload(known(retry=1), handler) == "done"

    async def failing(task: Task) -> None:
        task.heartbeat(1)
        raise LookupError("its own error")

    with pytest.raises(LookupError, match="its own error"):
        await payload(known(), failing)
