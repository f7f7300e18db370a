"""/metrics of a running worker: every metric is there, and moved by real tasks and real faults."""

import threading
from typing import Any

import aiohttp
import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from interceptors.retries import Retry
from tests.account import Account, task, unique
from tests.chaos.faults import Fault, once
from tests.chaos.proxy import proxy_to
from tests.supervisor.test_worker import working
from workers import Registry
from workers.local import LocalStepFunctions
from workers.metrics import ACTIVE_PERCENT, METRICS

Sample = tuple[str, frozenset[str]]
CONTEXT = {"_context": {"execution.$": "$$.Execution.Id", "entered.$": "$$.State.EnteredTime"}, "input.$": "$"}


class Work:
    """Four activities: one each for a task that succeeds, fails, takes too long, and is closed."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.names = {kind: unique(kind) for kind in ("succeeds", "fails", "hangs", "closed")}
        self.finish, self.release = anyio.Event(), threading.Event()
        self._calls = 0
        again = Retry(on=ConnectionError, wait_initial=0, wait_jitter=0)
        self.registry.add(self.names["succeeds"], self.succeed, heartbeat=0.1, interceptors=[again])
        self.registry.add(self.names["fails"], self.fail)
        self.registry.add(self.names["hangs"], self.hang, timeout=0.1)
        self.registry.add(self.names["closed"], anyio.sleep_forever, heartbeat=0.1)

    async def succeed(self) -> None:
        self._calls += 1
        if self._calls == 1:
            raise ConnectionError
        await self.finish.wait()

    async def fail(self) -> None:
        raise ValueError

    def hang(self) -> None:
        self.release.wait(60)


def samples(text: str) -> set[Sample]:
    """The samples that are above zero: the name of each, and its values of labels."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.values()) - {""})
        for family in families
        for sample in family.samples
        if sample.value > 0
    }


def expected(names: dict[str, str]) -> dict[str, list[list[str]]]:
    """By metric, the values of labels of samples that must move."""
    succeeds, fails, hangs, closed = names.values()
    return {
        "workers_polls_total": [[succeeds, "task"], [succeeds, "empty"]],
        "workers_queue_wait_seconds": [[succeeds]],
        "workers_tasks_total": [
            [succeeds, "succeeded"],
            [fails, "failed", "handler"],
            [hangs, "failed", "Worker.HandlerTimeout"],
            [closed, "closed"],
        ],
        "workers_handler_seconds": [[name] for name in names.values()],
        "workers_handler_retries_total": [[succeeds]],
        "workers_slots": [[name] for name in names.values()],
        "workers_slots_used": [[hangs]],
        "workers_pollers_open": [[name] for name in names.values()],
        "workers_heartbeats_total": [["accepted"], ["closed"]],
        "workers_report_retries_total": [["SendTaskSuccess"]],
        "workers_throttles_total": [["GetActivityTask"]],
        "workers_event_loop_lag_seconds": [[]],
        "workers_abandoned_threads": [[]],
    }


async def test_every_metric_of_a_running_worker_moves(
    account: Account, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    throttled, failed = once("GetActivityTask", Fault.THROTTLE), once("SendTaskSuccess", Fault.SERVER_ERROR)
    moves = expected(work.names)
    assert set(moves) == {metric.name for metric in METRICS} - {ACTIVE_PERCENT.name}  # which only `workers exec` has
    wanted = {
        (name + "_count" * name.endswith("_seconds"), frozenset(labels))
        for name, samples in moves.items()
        for labels in samples
    }
    seen: set[Sample] = set()
    with capture_logs() as lines:
        async with proxy_to(engine.url, faults=lambda call: throttled(call) or failed(call)) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            async with working(work.registry, health_port=0), aiohttp.ClientSession() as http:
                (port,) = [line["port"] for line in lines if line["event"] == "health port open"]
                executions = {kind: await account.start(machine(name), {}) for kind, name in work.names.items()}
                await account.reached(executions["closed"], "ActivityStarted")
                await account.client.stop_execution(executionArn=executions["closed"])
                with anyio.move_on_after(60):
                    while wanted - seen:
                        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                            seen |= samples(await answer.text())
                        if ("workers_heartbeats_total", frozenset({"accepted"})) in seen:
                            work.finish.set()
                        await anyio.sleep(0.02)
                work.release.set()
                assert wanted - seen == set()
                assert (await account.ended(executions["succeeds"]))["status"] == "SUCCEEDED"


def machine(activity: str) -> dict[str, Any]:
    return task(activity, Parameters=CONTEXT)
