"""`GET /metrics` of a service at work: what it says of workflows, failures and calls."""

from collections.abc import AsyncIterator

import anyio
import pytest

from tests.account import ROLE, unique
from tests.manager.api.conftest import Api, asking
from tests.manager.conftest import BREAKS, defined, ended, kept_open
from tests.proxy import Proxy, opened, refused
from workers.manager.api.measuring import Measures
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import Status


@pytest.fixture
async def counted(proxy: Proxy) -> AsyncIterator[tuple[LocalManager, Api]]:
    """A manager whose ends and calls are counted, and its API."""
    measures = Measures()
    async with opened() as account:
        account.called = measures.called
        async with (
            kept_open(open_manager("sqlite://", account, role=ROLE, ended=measures.ended)) as manager,
            asking(manager, measures=measures) as api,
        ):
            yield manager, api


async def numbers(api: Api) -> dict[str, float]:
    lines = [line for line in (await api("GET", "/metrics")).text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def until(api: Api, name: str, value: float) -> dict[str, float]:
    with anyio.fail_after(30):
        while (found := await numbers(api)).get(name) != value:
            await anyio.sleep(0.05)
    return found


async def test_workflows_are_counted_by_status_and_failures_by_their_job(counted: tuple[LocalManager, Api]):
    manager, api = counted
    name = (await defined(manager, BREAKS)).name
    fine = await ended(manager, await manager.start_workflow(name, {"fine": 1}))
    failed = [await ended(manager, await manager.start_workflow(name)) for _ in range(2)]
    assert (fine.status, failed[0].status) == (Status.SUCCEEDED, Status.FAILED)
    await manager.resolve_workflow(failed[0].id)
    labels = f'definition="{name}",job="look",resource="",version="0"'
    found = await until(api, f"workers_manager_workflows_failed_total{{{labels}}}", 2)
    assert found[f'workers_manager_workflows{{definition="{name}",status="failed"}}'] == 2
    assert found[f'workers_manager_workflows{{definition="{name}",status="succeeded"}}'] == 1
    assert found[f'workers_manager_workflows_unresolved{{definition="{name}"}}'] == 1
    assert found['workers_manager_aws_calls_total{error="",operation="StartExecution"}'] == 3
    assert found['workers_manager_aws_calls_total{error="StateMachineDoesNotExist",operation="DescribeStateMachine"}']


async def test_a_failure_that_a_list_tells_is_counted_with_its_job(counted: tuple[LocalManager, Api]):
    manager, api = counted
    name = (await defined(manager, BREAKS)).name
    kept = await manager.start_workflow(name)
    machine = manager.account.state_machine(f"{name}--0--look")
    with anyio.fail_after(30):
        while True:
            listed = manager.account.items("ListExecutions", "executions", stateMachineArn=machine)
            (item,) = [one async for one in listed]
            if item["status"] == "FAILED":
                break
    await manager.sync.recorder.record({kept.id: item})
    labels = f'definition="{name}",job="look",resource="",version="0"'
    found = await until(api, f"workers_manager_workflows_failed_total{{{labels}}}", 1)
    assert [name for name in found if name.startswith("workers_manager_workflows_failed_total")] == [
        f"workers_manager_workflows_failed_total{{{labels}}}"
    ]


async def test_a_workflow_that_could_not_be_started_later_has_failed(counted: tuple[LocalManager, Api], proxy: Proxy):
    manager, api = counted
    name, queue = (await defined(manager, BREAKS)).name, unique("queue")
    await manager.put_queue(queue, 0)
    kept = await manager.start_workflow(name, queue=queue)
    proxy.answers["StartExecution"] = [refused("InvalidExecutionInput")]
    await manager.delete_queue(queue)
    assert (await ended(manager, kept)).status is Status.FAILED
    labels = f'definition="{name}",job="",resource="",version="0"'
    await until(api, f"workers_manager_workflows_failed_total{{{labels}}}", 1)
