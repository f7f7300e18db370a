"""Workflows that go on inside of a Parallel or Map state: what was done is not done again."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.account import ROLE, unique
from tests.manager.conftest import activities, defined, ended, kept_open
from tests.proxy import Proxy, refused
from workers import ActivityError, Registry, Worker
from workers.manager.errors import InvalidError, TooLargeError
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import Status, Workflow
from workers.settings import Settings
from workers.stepfunctions.account import Account


def task(name: str, **fields: Any) -> dict[str, Any]:
    """A state whose activity is called with its name."""
    after = fields or {"End": True}
    return {"Type": "Task", "Resource": name, "TimeoutSeconds": 60, "HeartbeatSeconds": 30, **after}


def branch(*names: str) -> dict[str, Any]:
    states = {name: task(name, Next=after) for name, after in pairwise(names)}
    return {"StartAt": names[0], "States": states | {names[-1]: task(names[-1])}}


JUST = {"StartAt": "e", "States": {"e": {"Type": "Pass", "End": True}}}
BESIDE = {
    "StartAt": "first",
    "States": {
        "first": task("first", Next="both"),
        "both": {
            "Type": "Parallel",
            "Branches": [branch("a", "b"), branch("c", "d"), JUST],
            "ResultPath": "$.both",
            "Next": "last",
        },
        "last": task("last"),
    },
}  # fmt: skip
EACH = {
    "StartAt": "each",
    "States": {
        "each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"n.$": "$$.Map.Item.Value"},
            "MaxConcurrency": 1,
            "ItemProcessor": branch("a", "b"),
            "Next": "last",
        },
        "last": task("last"),
    },
}
NESTED = {
    "StartAt": "each",
    "States": {
        "each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "StartAt": "a",
                "States": {
                    "a": task("a", Next="split"),
                    "split": {"Type": "Parallel", "Branches": [branch("b", "c"), branch("d")], "Next": "last"},
                    "last": task("last"),
                },
            },
            "End": True,
        },
    },
}


class Work:
    """Activities that tell with what they were called, and fail where they are told to."""

    def __init__(self) -> None:
        self.namespace = unique("ns")
        self.broken: set[tuple[str, Any]] = set()
        self.calls: list[tuple[str, Any]] = []

    def called(self) -> Counter[str]:
        found = Counter(name for name, _ in self.calls)
        self.calls.clear()
        return found

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        registry = Registry()
        for name in ("first", "last", "a", "b", "c", "d"):
            registry.add(name, self._handler(name))
        async with Worker(registry, Settings(namespace=self.namespace)):
            yield

    def _handler(self, name: str) -> Any:
        async def handle(event: Any, /) -> Any:
            number = event.get("n") if isinstance(event, dict) else None
            self.calls.append((name, event))
            if {(name, number), (name, None)} & self.broken:
                raise ActivityError("Broken")
            return event | {name: number} if isinstance(event, dict) else event

        return handle


@pytest.fixture
async def work(here: Account) -> Work:
    found = Work()
    await activities(here, *(f"{found.namespace}--{name}" for name in ("first", "last", "a", "b", "c", "d")))
    return found


async def failed(manager: LocalManager, work: Work, machine: dict[str, Any], given: Any) -> Workflow:
    kept = await defined(manager, machine)
    found = await ended(manager, await manager.start_workflow(kept.name, given, namespace=work.namespace))
    assert found.status is Status.FAILED
    return found


def output_of(workflow: Workflow) -> Any:
    assert (workflow.status, bool(workflow.output)) == (Status.SUCCEEDED, True), workflow
    return without_names(json.loads(workflow.output or ""), workflow.id)


def without_names(document: Any, workflow_id: str) -> Any:
    """The document without the name of the execution, which must be this one wherever it stands."""
    if isinstance(document, list):
        return [without_names(one, workflow_id) for one in document]
    if isinstance(document, dict):
        assert document.get("_EXECUTION_NAME", workflow_id) == workflow_id
        return {key: without_names(one, workflow_id) for key, one in document.items() if key != "_EXECUTION_NAME"}
    return document


async def test_a_branch_goes_on_where_it_failed_and_others_where_they_stood(manager: LocalManager, work: Work):
    work.broken = {("b", None)}
    async with work.at_work():
        first = await failed(manager, work, BESIDE, {"n": 1})
        done_before = work.called()
        work.broken = set()
        resumed = await manager.resume_workflow(first.id, "b")
        done = await ended(manager, resumed, history=True)
    after = work.called()
    assert done_before["first"] == done_before["b"] == 1
    assert (after["first"], after["a"], after["b"], after["last"]) == (0, 0, 1, 1)
    assert done_before["d"] + after["d"] in {1, 2}  # it may have been at work when the other branch failed
    both = {"n": 1, "first": 1}
    assert output_of(done) == both | {"both": [both | {"a": 1, "b": 1}, both | {"c": 1, "d": 1}, both], "last": 1}
    assert str(resumed.execution_arn).split(":")[6].endswith("--0--b")
    assert (resumed.start_at, resumed.retry_for) == ("b", first.id)
    assert done.jobs
    assert not [job for job in done.jobs if "_RESUME" in job.state]


async def test_items_that_were_done_are_not_done_again(manager: LocalManager, work: Work):
    work.broken = {("b", 2)}
    async with work.at_work():
        first = await failed(manager, work, EACH, {"items": [1, 2, 3]})
        assert work.called() == Counter(a=2, b=2)
        work.broken = set()
        done = await ended(manager, await manager.resume_workflow(first.id, "b"))
    assert work.called() == Counter(a=1, b=2, last=1)
    assert output_of(done) == [{"n": n, "a": n, "b": n} for n in (1, 2, 3)]


async def test_inside_of_what_was_resumed_and_before_it(manager: LocalManager, work: Work):
    work.broken = {("b", 2)}
    async with work.at_work():
        first = await failed(manager, work, EACH, {"items": [1, 2, 3]})
        again = await ended(manager, await manager.resume_workflow(first.id, "b"))
        assert again.status is Status.FAILED
        work.called()
        work.broken = set()
        third = await ended(manager, await manager.resume_workflow(again.id, "a"))
        assert work.called() == Counter(a=2, b=2, last=1)  # the second item never came to `a` in the second run
        assert output_of(third) == [{"n": n, "a": n, "b": n} for n in (1, 2, 3)]
        with pytest.raises(InvalidError, match="No job found for StartAt last"):
            await manager.resume_workflow(again.id, "last")


async def test_a_state_in_what_is_itself_inside(manager: LocalManager, work: Work):
    work.broken = {("c", 2)}
    async with work.at_work():
        first = await failed(manager, work, NESTED, {"items": [{"n": 1}, {"n": 2}, {"n": 3}]})
        work.called()
        work.broken = set()
        done = await ended(manager, await manager.resume_workflow(first.id, "c"))
    found = work.called()
    assert (found["a"], found["b"], found["c"], found["last"]) == (1, 1, 2, 2)
    assert [[part["n"] for part in item] for item in output_of(done)] == [[1, 1], [2, 2], [3, 3]]


async def test_all_that_was_done_inside_is_done_again_where_all_of_it_was(manager: LocalManager, work: Work):
    work.broken = {("last", None)}
    async with work.at_work():
        first = await failed(manager, work, EACH, {"items": [1, 2]})
        work.called()
        work.broken = set()
        await ended(manager, await manager.resume_workflow(first.id, "b"))
    assert work.called() == Counter(b=2, last=1)


async def test_large_values_are_offloaded_one_by_one_and_refused_without_a_store(
    here: Account, work: Work, tmp_path: Path
):
    machine = {
        "StartAt": "both",
        "States": {"both": {"Type": "Parallel", "Branches": [branch("a", "b"), branch("c")], "End": True}},
    }
    payloads = f"file://{tmp_path}/payloads"
    for url in (payloads, None):
        work.broken = {("b", None)}
        async with kept_open(open_manager("sqlite://", here, role=ROLE, payloads=url)) as manager, work.at_work():
            first = await failed(manager, work, machine, {"n": 1, "text": "x" * 200_000})
            work.broken = set()
            if url is None:
                with pytest.raises(TooLargeError, match="payload store"):
                    await manager.resume_workflow(first.id, "b")
                continue
            done = await ended(manager, await manager.resume_workflow(first.id, "b"))
            assert done.status is Status.SUCCEEDED
            assert str(done.output).count("workers:claim") == 2


async def test_of_one_whose_jobs_were_large(watched: tuple[LocalManager, Proxy], work: Work):
    """More than an item of DynamoDB holds; they come from its history, and where that is gone from what is kept."""
    manager, proxy = watched
    machine = {"StartAt": "a", "States": {"a": task("a", Next="b"), "b": task("b", Next="c"), "c": task("c")}}
    work.broken = {("c", None)}
    async with work.at_work():
        first = await failed(manager, work, machine, {"n": 1, "text": "x" * 200_000})
        known = await manager.workflow(first.id, history=True)
        assert known.jobs
        assert sum(len(job.input or "") for job in known.jobs) > 600_000
        work.broken = set()
        work.called()
        assert (await ended(manager, await manager.resume_workflow(first.id, "b"))).status is Status.SUCCEEDED
        assert work.called() == Counter(b=1, c=1)
        proxy.answers["GetExecutionHistory"] = [refused("ExecutionDoesNotExist")]
        assert (await ended(manager, await manager.resume_workflow(first.id, "b"))).status is Status.SUCCEEDED
