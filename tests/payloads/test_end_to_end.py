"""State machines whose payloads are too large for Step Functions, on the embedded engine with real workers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from interceptors import Idempotent, Payload, Retry
from tests.account import PREFIX, Account, unique
from tests.payloads.conftest import BUCKET
from workers import Registry, Settings, Task, Worker
from workers.payloads import Payloads, PayloadStream
from workers.payloads.claim import looks_like_claim
from workers.payloads.document import encode

LIMIT = 262_144


@pytest.fixture
def url(s3_options: dict) -> str:
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture
async def store(url: str, s3_options: dict) -> AsyncIterator[Payloads]:
    async with Payloads(url, options=s3_options) as store:
        yield store


@asynccontextmanager
async def working(registry: Registry, account: Account, **settings: Any) -> AsyncIterator[Worker]:
    for handler in registry:
        await account.client.create_activity(name=handler.name)
    async with Worker(registry, Settings(grace=5, **settings)) as worker:
        yield worker


def resource(activity: str) -> str:
    return f"{PREFIX}:activity:{activity}"


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    """States one after the other."""
    names = list(states)
    for name, following in pairwise(names):
        states[name]["Next"] = following
    states[names[-1]]["End"] = True
    return {"StartAt": names[0], "States": states}


def step(activity: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource(activity), **fields}


async def test_three_activities_with_megabytes_text_and_fifty_thousand_rows(
    account: Account, url: str, store: Payloads
):
    registry = Registry()
    produce, transform, consume = unique("produce"), unique("transform"), unique("consume")
    blob, text = "0123456789" * 500_000, "żółć " * 37_500  # 5 MB, and 300 KB of UTF-8
    rows = [{"id": number, "name": f"row {number}"} for number in range(50_000)]

    @registry.activity(produce)
    async def _(count: int) -> dict[str, Any]:
        assert count == 50_000
        return {"blob": blob, "text": text, "rows": rows, "order": 7}

    @registry.activity(transform)
    def _(blob: str, text: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        assert (len(blob), len(text), len(rows)) == (5_000_000, 187_500, 50_000)
        return {"rows": rows[::-1], "text": text.upper()}

    @registry.activity(consume)
    async def _(order: int, blob: str, made: dict[str, Any]) -> dict[str, Any]:
        assert made["text"] == text.upper()
        return {"order": order, "first": made["rows"][0], "blob": len(blob)}

    definition = chain(
        Produce=step(produce),
        Transform=step(transform, ResultPath="$.made"),  # claims under a ResultPath, beside others
        Consume=step(consume),
    )
    async with working(registry, account, payloads=url):
        execution = await account.start(definition, {"count": 50_000})
        found = await account.ended(execution)
    assert json.loads(found["output"]) == {"order": 7, "first": rows[-1], "blob": 5_000_000}
    sizes = [len(text.encode()) for event in await account.events(execution) for text in texts(event)]
    assert 300 < max(sizes) < 10_000


def texts(event: dict[str, Any]) -> list[str]:
    """The inputs and outputs in an event."""
    details = [value for value in event.values() if isinstance(value, dict)]
    return [text for detail in details for key, text in detail.items() if key in {"input", "output"}]


async def test_a_map_whose_items_hold_claims(account: Account, url: str, store: Payloads):
    registry = Registry()
    split, work = unique("split"), unique("work")

    @registry.activity(split)
    async def _(count: int) -> dict[str, Any]:
        return {"items": [{"number": number, "body": chr(97 + number) * 100_000} for number in range(count)]}

    @registry.activity(work)
    async def _(number: int, body: str) -> dict[str, Any]:
        assert body == chr(97 + number) * 100_000
        return {"number": number, "length": len(body)}

    mapped = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": chain(Work=step(work))}
    async with working(registry, account, payloads=url):
        output = await account.output(chain(Split=step(split), Each=mapped), {"count": 6})
    assert output == [{"number": number, "length": 100_000} for number in range(6)]


async def test_parallel_branches_whose_outputs_each_hold_a_claim(account: Account, url: str, store: Payloads):
    registry = Registry()
    branch, merge = unique("branch"), unique("merge")

    @registry.activity(branch)
    async def _(letter: str) -> dict[str, Any]:
        return {"letter": letter, "text": letter * 150_000}

    @registry.activity(merge)
    async def _(branches: list[dict[str, Any]], /) -> str:
        return "".join(f"{found['letter']}{len(found['text'])}" for found in branches)

    branches = [chain(**{f"Make{letter}": step(branch, Parameters={"letter": letter})}) for letter in "xyz"]
    definition = chain(Both={"Type": "Parallel", "Branches": branches}, Merge=step(merge))
    async with working(registry, account, payloads=url):
        execution = await account.start(definition, {})
        found = await account.ended(execution)
    assert json.loads(found["output"]) == "x150000y150000z150000"
    collected = [event for event in await account.events(execution) if event["type"] == "ParallelStateExited"]
    merged = json.loads(collected[0]["stateExitedEventDetails"]["output"])
    assert [looks_like_claim(one["text"]) for one in merged] == [True] * 3


async def test_inputs_and_outputs_of_callers(account: Account, url: str, store: Payloads):
    registry, name = Registry(interceptors=[]), unique("double")

    @registry.activity(name)
    async def _(words: list[str]) -> dict[str, Any]:
        return {"words": words * 2}

    document = {"words": ["wort"] * 100_000}
    small = await store.offload(document)
    assert len(encode(small)) < 1_000
    async with working(registry, account, payloads=url):
        output = await account.output(chain(Double=step(name)), small)
    assert await store.reload(output) == {"words": ["wort"] * 200_000}


async def test_a_stream_passes_through_workers(account: Account, url: str, store: Payloads, tmp_path: Path):
    registry = Registry()
    film, cut, size = unique("film"), unique("cut"), unique("size")
    data = bytes(range(256)) * 80_000

    @registry.activity(film)
    def _() -> dict[str, Any]:
        (tmp_path / "film").write_bytes(data)
        return {"title": "x", "video": PayloadStream(tmp_path / "film")}

    @registry.activity(cut)
    async def _(video: PayloadStream, title: str) -> dict[str, Any]:
        async def half():
            for _ in range(40):
                yield await video.read(256_000)

        return {"title": title, "video": PayloadStream(half()), "original": video}

    @registry.activity(size)
    def _(video: PayloadStream, original: PayloadStream) -> list[int]:
        return [sum(map(len, video)), original.size or 0]

    async with working(registry, account, payloads=url):
        output = await account.output(chain(Film=step(film), Cut=step(cut), Size=step(size)), {})
    assert output == [256_000 * 40, len(data)]


async def test_a_crafted_claim_fails_its_task_by_name_and_a_catch_sees_it(account: Account, url: str, store: Payloads):
    registry, name = Registry(), unique("victim")

    @registry.activity(name)
    async def _(event: Any, /) -> Any:
        return event

    crafted = {"workers:claim": 1, "uri": "file:///etc/passwd", "bytes": 9, "sha256": "a" * 64, "encoding": "json"}
    catch = [{"ErrorEquals": ["Worker.PayloadForbidden"], "ResultPath": "$.error", "Next": "Caught"}]
    definition = chain(Work=step(name, Catch=catch), Caught={"Type": "Pass"})
    async with working(registry, account, payloads=url):
        output = await account.output(definition, {"deep": [crafted]})
    assert output["error"]["Error"] == "Worker.PayloadForbidden"
    assert "file:///etc/passwd" in json.loads(output["error"]["Cause"])["errorMessage"]


async def test_without_a_store_a_large_output_fails_by_name(account: Account):
    registry, name = Registry(), unique("large")

    @registry.activity(name)
    async def _() -> str:
        return "x" * LIMIT

    async with working(registry, account):
        error, cause = await account.failure(chain(Work=step(name)), {})
    assert error == "Worker.OutputTooLarge"
    assert "set a payload store" in cause["errorMessage"]


async def test_the_store_of_the_activity_goes_before_that_of_the_registry_and_the_setting(
    account: Account, url: str, store: Payloads
):
    registry = Registry(interceptors=[Payload(f"{url}/registry")])
    own, shared = unique("own"), unique("shared")

    async def large() -> str:
        return "x" * 100_000

    registry.add(own, large, interceptors=[Payload(f"{url}/activity")])
    registry.add(shared, large)
    async with working(registry, account, payloads=f"{url}/setting"):
        assert (await account.output(chain(Work=step(own)), {}))["uri"].startswith(f"{url}/activity/")
        assert (await account.output(chain(Work=step(shared)), {}))["uri"].startswith(f"{url}/registry/")


CONTEXT = {
    "_context": {
        "execution.$": "$$.Execution.Id",
        "state.$": "$$.State.Name",
        "retry.$": "$$.State.RetryCount",
    },
    "input.$": "$",
}
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1.0}]


async def test_progress_survives_an_attempt(account: Account, url: str, store: Payloads):
    registry, name = Registry(), unique("rows")
    seen: list[Any] = []

    @registry.activity(name)
    def _(rows: list[int], task: Task) -> list[Any]:
        seen.append(task.progress)
        start = (task.progress or {"row": 0})["row"]
        task.heartbeat({"row": start + 2})
        if start < 4:
            raise ConnectionError("again")
        return [start, task.attempt, sum(rows)]

    definition = chain(Work=step(name, Parameters=CONTEXT, Retry=RETRY))
    async with working(registry, account, payloads=url):
        assert await account.output(definition, {"rows": list(range(100))}) == [4, 3, 4950]
    assert seen == [None, {"row": 2}, {"row": 4}]


async def test_a_zombie_does_not_charge_twice_for_real(account: Account, url: str, store: Payloads, tmp_path: Path):
    registry, name = Registry(), unique("charge")
    charges: list[str] = []

    @registry.activity(name, interceptors=[Idempotent(f"sqlite://{tmp_path}/work.sqlite")])
    async def _(card: str) -> str:
        await anyio.sleep(1.6)  # Step Functions gives it up after one second, and hands the work out again
        charges.append(card)
        return f"charged {card}"

    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 1.0}]
    definition = chain(Work=step(name, Parameters=CONTEXT, TimeoutSeconds=1, Retry=retry))
    async with working(registry, account, heartbeat=0.2):
        assert await account.output(definition, {"card": "4711"}) == "charged 4711"
    assert charges == ["4711"]


async def test_retries_inside_the_worker_leave_no_trace_in_the_history(account: Account, url: str, store: Payloads):
    registry, name = Registry(), unique("flaky")
    calls: list[int] = []

    @registry.activity(name, interceptors=[Retry(on=ConnectionError, attempts=3, wait_initial=0.01, wait_jitter=0)])
    async def _() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionError
        return len(calls)

    async with working(registry, account, health_port=0) as worker:
        execution = await account.start(chain(Work=step(name)), {})
        assert (await account.ended(execution))["output"] == "3"
        found = worker.metrics.registry.get_sample_value("workers_handler_retries_total", {"activity": name})
    assert found == 2
    assert not [event for event in await account.events(execution) if event["type"] == "ActivityFailed"]
