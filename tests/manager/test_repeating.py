"""Requests that come twice because an answer was lost: what has a key is done once, whatever happened in between."""

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, PASSES, WAITS, defined, ended, until
from tests.proxy import Proxy, refused
from workers.manager.errors import ConflictError, IdempotencyError, UnavailableError
from workers.manager.manager import LocalManager
from workers.manager.model import Status
from workers.manager.requests import NewWorkflowDefinition


async def test_a_redrive_that_is_repeated_after_the_next_failure_redrives_nothing(
    watched: tuple[LocalManager, Proxy],
):
    manager, proxy = watched
    failed = await ended(manager, await manager.start_workflow((await defined(manager, BREAKS)).name))
    await manager.redrive_workflow(failed.id, idempotency_key="k")
    again = await ended(manager, failed)
    assert (again.status, again.redrive_count) == (Status.FAILED, 1)
    assert (await manager.redrive_workflow(failed.id, idempotency_key="k")).redrive_count == 1
    assert len(proxy.called("RedriveExecution")) == 1
    assert (await manager.redrive_workflow(failed.id, idempotency_key="another")).redrive_count == 2
    with pytest.raises(IdempotencyError):
        await manager.redrive_workflow(
            (await manager.start_workflow(failed.workflow_definition.name)).id, idempotency_key="k"
        )


@pytest.mark.usefixtures("hasty")
async def test_a_redrive_that_was_not_done_is_done_when_it_is_repeated(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    failed = await ended(manager, await manager.start_workflow((await defined(manager, BREAKS)).name))
    proxy.answers["RedriveExecution"] = [refused("InternalFailure", status=500) for _ in range(5)]
    with pytest.raises(UnavailableError):
        await manager.redrive_workflow(failed.id, idempotency_key="k")
    assert (await manager.redrive_workflow(failed.id, idempotency_key="k")).redrive_count == 1


async def test_a_cancellation_that_is_repeated_does_not_stop_what_was_redriven(manager: LocalManager):
    started = await manager.start_workflow((await defined(manager, WAITS)).name)
    await until(manager, started, "running")
    for _ in range(2):
        await manager.cancel_workflow(started.id, "enough", idempotency_key="k")
    await ended(manager, started)
    await manager.redrive_workflow(started.id, idempotency_key="k")
    await manager.cancel_workflow(started.id, "enough", idempotency_key="k")
    assert (await manager.refresh_workflow(started.id)).status is Status.RUNNING
    with pytest.raises(IdempotencyError, match="'k' was used for another request"):
        await manager.cancel_workflow(started.id, "another reason", idempotency_key="k")
    await manager.cancel_workflow(started.id, "enough")
    assert (await ended(manager, started)).status is Status.CANCELLED


async def test_resolving_twice_is_no_conflict_and_does_not_hide_a_later_failure(manager: LocalManager):
    failed = await ended(manager, await manager.start_workflow((await defined(manager, BREAKS)).name))
    for _ in range(2):
        await manager.resolve_workflow(failed.id, idempotency_key="k")
    with pytest.raises(ConflictError, match="already resolved"):
        await manager.resolve_workflow(failed.id, idempotency_key="another")
    await manager.redrive_workflow(failed.id)
    assert (await ended(manager, failed)).redrive_count == 1
    await manager.resolve_workflow(failed.id, idempotency_key="k")
    assert not (await manager.workflow(failed.id)).resolved_by_user


async def test_a_resolution_that_is_refused_is_refused_again(manager: LocalManager):
    failed = await ended(manager, await manager.start_workflow((await defined(manager, BREAKS)).name))
    await manager.resolve_workflow(failed.id)
    for _ in range(2):
        with pytest.raises(ConflictError, match="already resolved"):
            await manager.resolve_workflow(failed.id, idempotency_key="k")


async def test_a_definition_that_is_sent_twice_has_one_version(manager: LocalManager):
    name = unique("wf")
    given = NewWorkflowDefinition(name=name, state_machine=PASSES)
    changed = NewWorkflowDefinition(name=name, state_machine=WAITS)
    first = await manager.create_definition(given, idempotency_key="k")
    assert await manager.create_definition(given, idempotency_key="k") == first
    with pytest.raises(ConflictError, match="exists already"):
        await manager.create_definition(given)
    with pytest.raises(IdempotencyError):
        await manager.create_definition(changed, idempotency_key="k")
    found = []

    async def update() -> None:
        found.append(await manager.update_definition(changed, idempotency_key="k"))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(update)
    assert [one.version for one in found] == [1] * 5
    third = await manager.update_definition(given)
    assert (await manager.update_definition(changed, idempotency_key="k")).version == 1
    assert await manager.definition_versions(name) == [first, found[0], third]
