"""What killed processes leave behind, and who deletes it."""

import signal
from dataclasses import replace

import pytest

from tests.processes import python
from tests.reloaded.looks import one_task, registered
from tests.reloaded.test_run import adder
from workers import reloaded
from workers.machines.registration.ensure import ensure_state_machine
from workers.reloaded.leftovers import clean
from workers.reloaded.names import Snapshot, owner_name
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account

ME = Owner.current()
GONE = replace(ME, process="1-1")


async def left_by(owner: Owner, here: Account) -> None:
    """A machine and an activity, as a run of `owner` registers them."""
    snapshot = Snapshot(owner_name(owner.user))
    definition = one_task(here.place.activity(f"{here.namespace}--{snapshot.name('add')}"))
    await ensure_state_machine(snapshot.name("adder"), definition, tags=owner.tags, account=here)


async def test_what_a_killed_process_left_is_deleted_by_the_next_run(here: Account) -> None:
    arguments = ("-m", "tests.reloaded.killed", str(here.settings.local_port), str(here.namespace))
    async with python(*arguments, environment={}) as process:
        await process.says("waiting")
        process.send(signal.SIGKILL)
        await process.ends()
    assert len(await registered(here)) == 2
    (machine, _) = await registered(here)
    answer = await here.call("ListExecutions", stateMachineArn=here.place.state_machine(machine))
    (execution,) = answer["executions"]
    await reloaded.start_execution("adder", one_task(), adder(), {"x": 1, "y": 2}, account=here)
    assert await registered(here) == []
    found = await here.call("DescribeExecution", executionArn=execution["executionArn"])
    assert found["status"] == "ABORTED"


async def test_ctrl_c_leaves_nothing(here: Account) -> None:
    arguments = ("-m", "tests.reloaded.killed", str(here.settings.local_port), str(here.namespace))
    async with python(*arguments, environment={}) as process:
        await process.says("waiting")
        process.send(signal.SIGINT)
        await process.ends()
    assert await registered(here) == []


@pytest.mark.parametrize(
    ("owner", "stays"),
    [
        (GONE, False),
        (ME, True),
        (replace(GONE, user="somebody-else"), True),
        (replace(GONE, host="elsewhere"), True),
    ],
    ids=["killed", "running", "another person's", "another host's"],
)
async def test_only_what_is_left_behind_is_deleted(here: Account, owner: Owner, stays: bool) -> None:
    await left_by(owner, here)
    names = await registered(here)
    changes = await clean(account=here)
    assert await registered(here) == (names if stays else [])
    assert len(changes) == (0 if stays else 2)


@pytest.mark.parametrize(
    ("owner", "stays"),
    [(replace(GONE, host="elsewhere"), False), (ME, True), (replace(GONE, host="elsewhere", user="bob"), True)],
    ids=["another host's", "running", "another person's"],
)
async def test_elsewhere_too_where_that_is_asked_for(here: Account, owner: Owner, stays: bool) -> None:
    await left_by(owner, here)
    await clean(account=here, elsewhere=True)
    assert bool(await registered(here)) is stays


async def test_what_only_looks_like_a_run_stays(here: Account) -> None:
    name = f"add-dev-{ME.user}-abcdefghijkl"
    await here.call("CreateActivity", name=f"{here.namespace}--{name}")
    await clean(account=here)
    assert await registered(here) == [f"{here.namespace}--{name}"]
