"""Tasks that wait for a key, end to end: the engine sends the token by SQS, and somebody finishes by key."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.callbacks.conftest import Shops
from workers.callbacks import AmbiguousKeyError, Callbacks, Outcome, finish_by_request
from workers.callbacks.resources import open_sqs, queue_url
from workers.errors import UsageError


async def test_a_task_succeeds_fails_and_beats_by_its_key(shops: Shops):
    async with shops(state={"heartbeat_seconds": 2}) as shop:
        first, second = await shop.start("one"), await shop.start("two")
        await shop.knows("one")
        await shop.knows("two")
        assert await shop.callbacks.heartbeat("one")
        assert not await shop.callbacks.heartbeat("three")
        assert await shop.callbacks.success("one", {"ü": [1]}) is Outcome.DELIVERED
        assert await shop.callbacks.failure("two", "Declined", {"code": 7}) is Outcome.DELIVERED
        assert await shop.end(first) == {"ü": [1]}
        error, cause = await shop.end(second)
        assert (error, json.loads(cause)) == ("Declined", {"code": 7})
        assert not await shop.callbacks.heartbeat("one")


async def test_beats_keep_a_task_waiting_beyond_its_heartbeat(shops: Shops):
    async with shops(state={"heartbeat_seconds": 2}) as shop:
        execution = await shop.start("slow")
        await shop.knows("slow")
        over = anyio.current_time() + 3.0
        while anyio.current_time() < over:
            assert await shop.callbacks.heartbeat("slow")
            await anyio.sleep(0.2)
        assert await shop.callbacks.success("slow", "at last") is Outcome.DELIVERED
        assert await shop.end(execution) == "at last"


async def test_the_first_finish_counts_and_an_early_one_is_kept(shops: Shops):
    async with shops(consume=False) as shop:
        assert await shop.callbacks.success("early", 1) is Outcome.KEPT
        assert await shop.callbacks.success("early", 2) is Outcome.ALREADY_FINISHED
        assert await shop.callbacks.failure("early", "Late") is Outcome.ALREADY_FINISHED
        execution = await shop.start("early")
        consumer = asyncio.create_task(shop.callbacks.consume())
        assert await shop.end(execution) == 1
        while await shop.callbacks.success("early", 3) is not Outcome.ALREADY_FINISHED:
            await anyio.sleep(0.01)
        consumer.cancel()


async def test_a_late_finish_is_told_so_and_kept_for_a_retry_of_the_task(shops: Shops):
    retry = [{"error_equals": ["States.HeartbeatTimeout", "States.Timeout"], "interval_seconds": 1, "max_attempts": 1}]
    async with shops(state={"heartbeat_seconds": 1, "retry": retry}) as shop:
        execution = await shop.start("slow")
        await shop.account.reached(execution, "TaskTimedOut")
        assert await shop.callbacks.success("slow", "at last") is Outcome.CLOSED
        assert await shop.end(execution) == "at last"
        stopped = await shop.start("stopped")
        await shop.knows("stopped")
        await shop.account.client.stop_execution(executionArn=stopped)
        assert await shop.callbacks.success("stopped") is Outcome.CLOSED
        other = await shop.start("stopped")  # what was meant for the one that was stopped is not for this one
        await shop.knows("stopped")
        while (found := await shop.callbacks.success("stopped", "anew")) is not Outcome.DELIVERED:
            assert found is Outcome.ALREADY_FINISHED
        assert await shop.end(other) == "anew"


async def test_a_key_of_two_executions_is_refused(shops: Shops):
    async with shops() as shop:
        first = await shop.start("same")
        await shop.knows("same")
        second = await shop.start("same")
        error, cause = await shop.end(second)
        assert error == "Worker.CallbackKeyInUse"
        assert "'same'" in json.loads(cause)["errorMessage"]
        assert await shop.callbacks.success("same", 1) is Outcome.DELIVERED
        assert await shop.end(first) == 1
        third = await shop.start("same")  # the key is free again
        while await shop.callbacks.success("same", 3) is not Outcome.DELIVERED:
            await anyio.sleep(0.01)
        assert await shop.end(third) == 3


async def test_a_key_of_two_executions_is_kept_apart(shops: Shops):
    async with shops(keys="apart") as shop:
        executions = [await shop.start("same") for _ in range(3)]
        await shop.knows("same", tokens=3)
        with pytest.raises(AmbiguousKeyError, match="say which one"):
            await shop.callbacks.success("same")
        with pytest.raises(AmbiguousKeyError):
            await shop.callbacks.heartbeat("same")
        assert await shop.callbacks.heartbeat("same", execution=executions[0])
        for number, execution in enumerate(executions[:2]):
            name = execution if number else execution.rpartition(":")[2]
            assert await shop.callbacks.success("same", number, execution=name) is Outcome.DELIVERED
            assert await shop.end(execution) == number
        assert await shop.callbacks.success("same", "the last") is Outcome.DELIVERED  # only one waits by now
        assert await shop.end(executions[2]) == "the last"
        assert await shop.callbacks.success("same", 1, execution="to-come") is Outcome.KEPT


async def test_a_large_result_is_offloaded(shops: Shops, tmp_path: Path):
    large = {"text": "x" * 400_000}
    async with shops() as shop:
        with pytest.raises(UsageError, match="Step Functions takes 262,144"):
            await shop.callbacks.success("large", large)
        with pytest.raises(UsageError, match="nothing that JSON can hold"):
            await shop.callbacks.success("large", float("nan"))
    async with shops(payloads=f"file://{tmp_path}/payloads") as shop:
        execution = await shop.start("large")
        await shop.callbacks.success("large", large)
        assert shop.callbacks._payloads
        assert await shop.callbacks._payloads.reload(await shop.end(execution)) == large


async def test_what_has_expired_counts_no_more(shops: Shops):
    async with shops(consume=False, keep=0.01) as shop:
        assert await shop.callbacks.success("brief", 1) is Outcome.KEPT
        await anyio.sleep(1.1)  # DynamoDB counts whole seconds
        assert await shop.callbacks.success("brief", 2) is Outcome.KEPT
        for number in range(3):
            await shop.callbacks.success(f"other-{number}", 2)
        if shop.callbacks._kind == "sqlite":
            await anyio.sleep(0.05)
            shop.callbacks._store._clean_at = 0.0  # type: ignore[attr-defined]
            await shop.callbacks.success("last", 2)
            count = "SELECT count(*) FROM callbacks"
            assert shop.callbacks._store._file.execute(count).fetchone() == (1,)  # type: ignore[attr-defined]


async def test_a_token_that_nobody_finished_in_time_is_forgotten(shops: Shops):
    async with shops(waits=1.0) as shop:
        execution = await shop.start("waits")
        await shop.knows("waits")
        expires = (await shop.callbacks._store.load("waits")).expires  # type: ignore[union-attr]
        assert 0 < expires - time.time() <= 2  # DynamoDB counts whole seconds
        with anyio.fail_after(10):
            while (await shop.callbacks._entries("waits"))[0]:
                await anyio.sleep(0.05)
        assert time.time() >= expires
        assert not await shop.callbacks.heartbeat("waits")
        assert await shop.callbacks.success("waits", 1) is Outcome.KEPT  # for a task that is to come
        await shop.account.client.stop_execution(executionArn=execution)


async def test_a_message_that_nobody_understands_goes_to_the_dead_letter_queue(shops: Shops):
    async with shops(consume=False) as shop, open_sqs(shop.callbacks._connection) as sqs:
        url = await queue_url(sqs, shop.callbacks.name)
        await sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
        consumer = asyncio.create_task(shop.callbacks.consume())  # a poll keeps the timeout that it began with
        for body in ("nonsense", "[]", '{"TaskToken": 1, "TaskKey": "a"}', '{"TaskToken": "a"}'):
            await sqs.send_message(QueueUrl=url, MessageBody=body)
        dead = await queue_url(sqs, f"{shop.callbacks.name}-dlq")
        found: set[str] = set()
        async with asyncio.timeout(30):
            while len(found) < 4:
                answer = await sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1, MaxNumberOfMessages=10)
                found |= {message["Body"] for message in answer.get("Messages", ())}
        execution = await shop.start("after")
        await shop.callbacks.success("after", 1)
        assert await shop.end(execution) == 1
        consumer.cancel()
        await asyncio.wait([consumer])


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        ({"result": {"a": 1}}, 200, "delivered"),
        ({"result": None}, 200, "delivered"),
        ({"error": "Bad", "cause": "because"}, 200, "delivered"),
        ({"heartbeat": True}, 200, "heartbeat"),
    ],
)
async def test_a_request_finishes_a_task(shops: Shops, document: dict[str, Any], status: int, said: str):
    async with shops() as shop:
        execution = await shop.start("key")
        await shop.knows("key")
        assert await finish_by_request(shop.callbacks, "key", document) == (status, {"outcome": said})
        if "heartbeat" not in document:
            assert await shop.end(execution) == document.get("result", ("Bad", "because"))


async def test_requests_that_change_nothing_say_why(shops: Shops):
    async with shops(consume=False, keys="apart") as shop:
        for body in (None, [], {}, {"result": 1, "more": 2}, {"error": ""}, {"error": "a" * 300}, {"heartbeat": False}):
            status, answer = await finish_by_request(shop.callbacks, "key", body)
            assert (status, list(answer)) == (400, ["message"])
        assert (await finish_by_request(shop.callbacks, "", {"result": 1}))[0] == 400
        assert (await finish_by_request(shop.callbacks, "key", {"heartbeat": True}))[0] == 409
        assert await finish_by_request(shop.callbacks, "key", {"result": 1}) == (202, {"outcome": "kept"})
        assert await finish_by_request(shop.callbacks, "key", {"result": 2}) == (200, {"outcome": "already_finished"})


async def test_what_is_missing_or_wrong_is_said(account: Any, tmp_path: Path):
    store = f"sqlite://{tmp_path}/callbacks.db"
    async with Callbacks("nowhere", "shop", store=store) as callbacks:
        with pytest.raises(UsageError, match="there is no queue nowhere--shop-callbacks: create it"):
            await callbacks.consume()
        with pytest.raises(UsageError, match="1 to 2,048 are allowed"):
            await callbacks.success("ü" * 1025)
    with pytest.raises(UsageError, match="store of callbacks 'redis://x'"):
        Callbacks("a", "b", store="redis://x")
    with pytest.raises(UsageError, match="keys is 'both'"):
        Callbacks("a", "b", keys="both")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="queue name"):
        Callbacks("a", "b c")
