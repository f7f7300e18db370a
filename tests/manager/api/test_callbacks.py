"""Tasks of workflows that are finished by key over HTTP, with the tokens that allow it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anyio
import pytest

from tests.account import ROLE, unique
from tests.manager.api.conftest import Api, asking
from tests.manager.conftest import defined, ended
from tests.proxy import opened
from workers.callbacks import Callbacks
from workers.local import LocalStepFunctions
from workers.manager.api.guard import Tokens
from workers.manager.client import Client
from workers.manager.manager import LocalManager
from workers.manager.model import Status
from workers.manager.opening import Service, open_service
from workers.manager.requests import NewWorkflowDefinition
from workers.settings import Settings

WRITES, READS, FINISHES = "w" * 20, "r" * 20, "f" * 20
ASKS = {
    "start_at": "wait",
    "states": {"wait": {"type": "task", "resource": "callback:shop", "task_key": "$.key", "end": True}},
}


@asynccontextmanager
async def shop(manager: LocalManager, folder: Path, tokens: Tokens | None = None) -> AsyncIterator[tuple[Api, str]]:
    """The API with the callbacks of an application, and its namespace."""
    namespace = unique("ns")
    async with Callbacks(namespace, "shop", store=f"sqlite:///{folder}/callbacks.db") as callbacks:
        await callbacks.create()
        consumer = asyncio.create_task(callbacks.consume())
        async with asking(manager, callbacks=callbacks, tokens=tokens) as api:
            yield api, namespace
        consumer.cancel()
        await asyncio.wait([consumer])


async def test_a_task_of_a_workflow_is_finished_by_its_key(manager: LocalManager, tmp_path: Path):
    kept = await defined(manager, ASKS)
    async with shop(manager, tmp_path) as (api, namespace):
        started = await manager.start_workflow(kept.name, {"key": "order/17 ü"}, namespace=namespace)
        with anyio.fail_after(30):
            while (await api("POST", "/callbacks/order%2F17%20%C3%BC", {"heartbeat": True})).status != 200:
                await anyio.sleep(0.05)
        said = await api.ok("POST", "/callbacks/order%2F17%20%C3%BC", {"result": {"paid": [True]}})
        assert said == {"outcome": "delivered"}
        done = await ended(manager, started)
        assert (done.status, done.output) == (Status.SUCCEEDED, '{"paid":[true]}')
        again = await api.ok("POST", "/callbacks/order/17%20%C3%BC", {"result": 2})
        assert again == {"outcome": "already_finished"}


async def test_a_finish_that_comes_first_is_kept_and_what_is_wrong_is_said(manager: LocalManager, tmp_path: Path):
    kept = await defined(manager, ASKS)
    async with shop(manager, tmp_path) as (api, namespace):
        said = await api.ok("POST", "/callbacks/early", {"error": "Declined", "cause": "no"}, status=202)
        assert said == {"outcome": "kept"}
        failed = await ended(manager, await manager.start_workflow(kept.name, {"key": "early"}, namespace=namespace))
        assert failed.status is Status.FAILED
        assert failed.status_reason == "no\nDeclined"
        for body in ({}, {"result": 1, "more": 2}, {"error": ""}, [], {"heartbeat": False}):
            assert await api.refused(400, "POST", "/callbacks/early", body)
        assert await api.refused(400, "POST", "/callbacks/early")
        assert await api.refused(400, "POST", f"/callbacks/{'k' * 2_049}", {"result": 1})


async def test_tokens_of_callbacks_allow_nothing_else(manager: LocalManager, tmp_path: Path):
    tokens = Tokens([WRITES], [READS], [FINISHES])
    async with shop(manager, tmp_path, tokens) as (api, _):
        for token, status in ((FINISHES, 202), (WRITES, 200), (READS, 403), ("nobody" * 3, 401)):
            said = await api("POST", "/callbacks/key", {"result": 1}, Authorization=f"Bearer {token}")
            assert said.status == status
        for method, path in (("GET", "/workflows"), ("POST", "/workflows"), ("GET", "/metrics"), ("GET", "/callbacks")):
            message = await api.refused(403, method, path, Authorization=f"Bearer {FINISHES}")
            assert "only finish callbacks" in message
        assert (await api("GET", "/_health")).status == 200


async def test_without_an_application_there_are_none(api: Api):
    assert "--callbacks" in await api.refused(404, "POST", "/callbacks/key", {"result": 1})


@pytest.mark.parametrize("application", ["shop", "production--shop"])
async def test_the_service_makes_the_queue_and_consumes_it(
    engine: LocalStepFunctions, application: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    service = Service(
        port=0,
        database="sqlite://",
        role=ROLE,
        callbacks=application,
        callback_store=f"sqlite:///{tmp_path}/callbacks.db",
        callback_tokens=(FINISHES,),
        tokens=(WRITES,),
    )
    async with opened() as account, open_service(service, Settings()) as url:
        queues = await queue_names(account.connection)
        assert f"{application}-callbacks" in queues
        assert url.startswith("http://127.0.0.1:")


async def test_the_service_takes_a_workflow_to_its_callback_and_finishes_it(
    engine: LocalStepFunctions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    namespace = unique("ns")
    service = Service(
        port=0,
        database="sqlite://",
        role=ROLE,
        callbacks=f"{namespace}--shop",
        callback_tokens=(FINISHES,),
        tokens=(WRITES,),
    )
    settings = Settings(local=True, local_port=engine.port)
    async with (
        open_service(service, settings) as url,
        Client(url, token=WRITES) as client,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {FINISHES}"}) as session,
    ):
        api = Api(url, session)
        kept = await client.create_definition(NewWorkflowDefinition(name="asks", state_machine=ASKS))
        started = await client.start_workflow(kept.name, {"key": "order-17"}, namespace=namespace)
        with anyio.fail_after(30):
            while (await api("POST", "/callbacks/order-17", {"heartbeat": True})).status != 200:
                await anyio.sleep(0.05)
        assert await api.ok("POST", "/callbacks/order-17", {"result": {"paid": True}}) == {"outcome": "delivered"}
        done = await ended(client, started)
        assert (done.status, done.output) == (Status.SUCCEEDED, '{"paid":true}')
    assert (tmp_path / f"{namespace}--shop-callbacks.sqlite").exists()  # where tokens are kept on the engine


async def queue_names(connection) -> set[str]:
    async with connection.client("sqs", None) as sqs:
        found = await sqs.list_queues()
        return {one.rpartition("/")[2] for one in found.get("QueueUrls", ())}
