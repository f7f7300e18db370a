"""Work that is done once, over real records: a SQLite file, and DynamoDB over HTTP."""

import anyio
import pytest

from interceptors import Idempotent, Payload
from interceptors.chain import compose
from interceptors.idempotent import AlreadyInProgressError, NoIdempotencyKeyError
from interceptors.records import RecordStore
from tests.interceptors.idempotency.work import Charging
from tests.interceptors.tasks import known, make
from workers.task import Task


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
