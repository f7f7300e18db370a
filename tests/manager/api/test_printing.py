"""`--metrics emf` of the service: lines that CloudWatch takes, with what is in the store."""

import json
from typing import Any

import anyio
import pytest

from tests.account import ROLE
from tests.manager.conftest import BREAKS, PASSES, defined, ended
from workers.cli.main import cli
from workers.emf import NAMESPACE
from workers.local import LocalStepFunctions
from workers.manager.api.measuring import Measures
from workers.manager.api.printing import printed
from workers.manager.client import Client
from workers.manager.errors import StoreUnavailableError
from workers.manager.manager import LocalManager
from workers.manager.opening import Service, open_service
from workers.settings import Settings


class Printed:
    """What was printed, a document for each line."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.came = anyio.Event()

    def __call__(self, text: str) -> None:
        self.documents += [json.loads(line) for line in text.splitlines()]
        self.came.set()

    def take(self, metric: str, **dimensions: str) -> list[float]:
        """The values that it had since the last time, by its dimensions."""
        return [one[metric] for one in self.documents if metric in one and named(one) == dimensions]


def named(document: dict[str, Any]) -> dict[str, str]:
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    return {name: document[name] for name in directive["Dimensions"][0]}


async def test_workflows_are_printed_by_status_and_while_they_are_unresolved(manager: LocalManager):
    measures, said = Measures(), Printed()
    name = (await defined(manager, BREAKS)).name
    failed = await ended(manager, await manager.start_workflow(name))
    measures.ended(failed)
    measures.request("GET", "/workflows", 200, 0.1)
    measures.called("StartExecution", None)
    async with printed(measures, manager.store, write=said):
        pass
    assert said.take("workers_manager_workflows", definition=name, status="failed") == [1]
    assert said.take("workers_manager_workflows_unresolved", definition=name) == [1]
    job = {"definition": name, "version": "0", "job": "look"}
    assert said.take("workers_manager_workflows_failed_total", **job) == [1]
    assert said.take("workers_manager_aws_calls_total", operation="StartExecution") == [1]
    assert not [one for one in said.documents if any("_http_" in key or "_created" in key for key in one)]

    await manager.resolve_workflow(failed.id)
    later = Printed()
    async with printed(measures, manager.store, write=later):
        pass
    assert later.take("workers_manager_workflows", definition=name, status="failed") == [1]
    assert later.take("workers_manager_workflows_unresolved", definition=name) == []


async def test_what_is_added_is_printed_once_also_when_the_database_is_away(
    manager: LocalManager, monkeypatch: pytest.MonkeyPatch
):
    measures, said, away = Measures(), Printed(), anyio.Event()
    counts = manager.store.counts

    async def fails() -> Any:
        away.set()
        raise StoreUnavailableError("the database is away")

    async with printed(measures, manager.store, interval=0.01, write=said):
        measures.heard("news", 3)
        with anyio.fail_after(10):
            while not said.take("workers_manager_events_total", kind="news"):
                await anyio.sleep(0.01)
            monkeypatch.setattr(manager.store, "counts", fails)
            await away.wait()
            measures.heard("news", 4)
            monkeypatch.setattr(manager.store, "counts", counts)
    assert said.take("workers_manager_events_total", kind="news") == [3, 4]


async def test_a_closed_stdout_ends_the_printing_and_not_the_service(manager: LocalManager):
    tried = anyio.Event()

    def closed(_: str) -> None:
        anyio.from_thread.run_sync(tried.set)
        raise BrokenPipeError

    await defined(manager, PASSES)
    measures = Measures()
    measures.heard("news", 1)
    async with printed(measures, manager.store, interval=0.01, write=closed):
        with anyio.fail_after(10):
            await tried.wait()


@pytest.mark.parametrize("metrics", ["emf", "prometheus"])
async def test_the_service_prints_when_it_is_told_to(
    metrics: Any, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    service = Service(database="sqlite://", port=0, role=ROLE)
    async with open_service(service, Settings(metrics=metrics)) as url, Client(url) as client:
        name = (await defined(client, PASSES)).name
        await ended(client, (await client.start_workflow(name)).id)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    done = [one for one in found if one.get("definition") == name and one.get("status") == "succeeded"]
    assert [one["workers_manager_workflows"] for one in done] == ([1] if metrics == "emf" else [])


def test_serve_takes_the_option():
    serve = cli.get_command(cli.make_context("workers", ["serve"]), "serve")
    assert serve
    assert serve.make_context("serve", ["--metrics", "emf"]).params["metrics"] == "emf"
