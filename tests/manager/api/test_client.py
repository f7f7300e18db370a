"""The client does over HTTP what the manager does itself."""

import inspect
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.api.conftest import Api, asking
from tests.manager.conftest import BREAKS, CHAIN, PASSES, defined, ended, until
from workers.errors import UsageError
from workers.manager.api.guard import Tokens
from workers.manager.client import Client
from workers.manager.errors import (
    ConflictError,
    IdempotencyError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from workers.manager.interface import WorkflowManager
from workers.manager.manager import LocalManager
from workers.manager.model import Query, Status
from workers.manager.requests import NewStateResource, NewWorkflowDefinition

METHODS = sorted(name for name in dir(WorkflowManager) if not name.startswith("_"))


@pytest.mark.parametrize("kind", [Client, LocalManager])
def test_both_have_all_methods_of_the_interface_with_the_same_parameters(kind: type):
    for name in METHODS:
        wanted = inspect.signature(getattr(WorkflowManager, name))
        found = inspect.signature(getattr(kind, name))
        assert list(found.parameters) == list(wanted.parameters), name
        assert [one.default for one in found.parameters.values()] == [one.default for one in wanted.parameters.values()]


async def test_definitions(client: Client):
    first = await defined(client, CHAIN, default_tags={"team": "infra"})
    second = await client.update_definition(NewWorkflowDefinition(name=first.name, state_machine=PASSES))
    assert await client.definition(first.name) == second
    assert await client.definition(first.name, 0) == first
    assert await client.definition_versions(first.name) == [first, second]
    assert await client.definitions() == [second]
    await client.deprecate_definition(first.name)
    with pytest.raises(ConflictError, match="is deprecated"):
        await client.start_workflow(first.name)
    await client.delete_definition(first.name)
    with pytest.raises(NotFoundError):
        await client.definition(first.name)
    with pytest.raises(InvalidError) as caught:
        await defined(client, {"StartAt": "a", "States": {}})
    assert caught.value.problems


async def test_workflows(client: Client):
    kept = await defined(client, BREAKS)
    started = [await client.start_workflow(kept.name, {"fine": n}, tags={"n": str(n)}) for n in range(5)]
    assert (await client.start_workflow(kept.name, {}, idempotency_key="k")).id == (
        await client.start_workflow(kept.name, {}, idempotency_key="k")
    ).id
    with pytest.raises(ConflictError):
        await client.start_workflow(kept.name, {"other": 1}, idempotency_key="k")
    for one in started:
        await ended(client, one)
    query = Query(tags={"n": "3"}, status=(Status.SUCCEEDED, Status.FAILED), resolved_by_user=True)
    assert [one.id async for one in client.all_workflows(query)] == [started[3].id]
    pages = [one.id async for one in client.all_workflows(Query(limit=2, oldest_first=True))]
    assert pages[:5] == [one.id for one in started]
    assert len(pages) == 6
    failed = await ended(client, pages[5])
    whole = await client.workflow(failed.id, history=True)
    assert whole.jobs
    assert whole.last_job == failed.last_job
    assert (await client.refresh_workflow(failed.id)).jobs == whole.jobs
    await client.resolve_workflow(failed.id)
    resumed = await client.resume_workflow(failed.id, "look", idempotency_key="again")
    assert (await client.resume_workflow(failed.id, "look", idempotency_key="again")).id == resumed.id
    assert resumed.retry_for == failed.id
    assert sum(count.count for count in await client.counts()) == 7
    await ended(client, resumed)
    assert failed.stopped_at
    assert await client.delete_workflows(failed.stopped_at + timedelta(hours=1)) == 7


async def test_cancelling(client: Client):
    waits = {"StartAt": "w", "States": {"w": {"Type": "Wait", "Seconds": 600, "End": True}}}
    kept = await defined(client, waits)
    started = await client.start_workflow(kept.name)
    await until(client, started, "running")
    await client.cancel_workflow(started.id, "enough")
    assert (await ended(client, started)).status_reason == "enough"
    with pytest.raises(NotFoundError):
        await client.cancel_workflow("nobody", "x")


async def test_state_resources_and_queues(client: Client):
    made = await client.put_state_resource(NewStateResource(name="echo", namespace="prod", uri="x"))
    assert await client.state_resource("prod", "echo") == made
    assert await client.state_resources() == [made]
    assert await client.state_resources("other") == []
    await client.delete_state_resource("prod", "echo")
    with pytest.raises(NotFoundError):
        await client.state_resource("prod", "echo")
    assert (await client.put_queue("slow", 3)).limit == 3
    assert [queue.name for queue in await client.queues()] == ["slow"]
    await client.delete_queue("slow")


async def test_changes_arrive(client: Client):
    kept = await defined(client, PASSES)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            found: list[Any] = []

            async def listen() -> None:
                async for workflow in client.changes():
                    found.append(workflow)
                    if workflow.status is Status.SUCCEEDED:
                        group.cancel_scope.cancel()

            group.start_soon(listen)
            while not found:
                await client.start_workflow(kept.name)
                await anyio.sleep(0.3)
            await anyio.sleep(30)
    assert found[-1].workflow_definition.name == kept.name


async def test_changes_go_on_where_a_connection_ended(client: Client, manager: LocalManager):
    kept = await defined(client, PASSES)

    async def start() -> None:
        await manager.recent_changes._listening.wait()
        await manager.start_workflow(kept.name)

    changes = client.changes()
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(start)
            await anext(changes)
        manager.recent_changes.close()  # as when the service stops
        text = "x" * 200_000  # more than a reader of lines takes
        missed = await ended(manager, await manager.start_workflow(kept.name, {"text": text}))
        while (found := await anext(changes)).id != missed.id:
            pass
    assert (found.input, found.status) == (missed.input, Status.SUCCEEDED)


async def test_refusals_are_raised_as_what_they_are(client: Client, api: Api, manager: LocalManager):
    kept = await defined(client, PASSES)
    with pytest.raises(TooLargeError, match="input: it has"):
        await client.start_workflow(kept.name, {"x": "y" * 300_000})
    with pytest.raises(InvalidError, match="input is not a valid JSON object"):
        await client.start_workflow(kept.name, "[]")
    with pytest.raises(UsageError, match="is no URL"):
        Client("localhost")
    with pytest.raises(UsageError, match="not open"):
        await Client(api.url).definitions()
    async with asking(manager, tokens=Tokens(["t" * 20])) as closed:
        async with Client(closed.url) as nobody:
            with pytest.raises(InvalidError, match="Authorization"):
                await nobody.definitions()
        async with Client(closed.url, token="t" * 20) as somebody:
            assert await somebody.definitions()
    assert issubclass(IdempotencyError, ConflictError)


async def test_a_service_that_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.manager.transport.Backoff.next", _at_once)
    async with Client("http://127.0.0.1:1") as client:
        with pytest.raises(UnavailableError, match="does not answer"):
            await client.workflow(unique("x"))
        with pytest.raises(UnavailableError):
            await client.start_workflow("x")


def _at_once(backoff: Any) -> float:
    backoff.failures += 1
    return 0.0
