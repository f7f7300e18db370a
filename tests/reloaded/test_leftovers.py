"""What killed processes leave behind, and who deletes it."""

import signal
from dataclasses import replace

import pytest

from tests.account import SESSION
from tests.processes import python
from tests.reloaded.looks import one_task, registered
from tests.reloaded.test_run import adder
from workers import reloaded
from workers.machines.definition import load
from workers.machines.registration.ensure import ensure_state_machine
from workers.reloaded.fresh import prepare, register
from workers.reloaded.leftovers import clean
from workers.reloaded.names import Snapshot, owner_name
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account, open_account

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


@pytest.mark.parametrize("user", ["root", "ada.lovelace"])
async def test_in_a_long_namespace_too(here: Account, user: str) -> None:
    settings = here.settings.model_copy(update={"namespace": f"{here.namespace}{'x' * 50}"[:50]})
    owner = replace(GONE, user=user)
    async with open_account(settings, session=SESSION) as account:
        definition = one_task("reserve-stock-or-wait-for-it")
        wanted = prepare(
            account, "order-fulfilment", load(definition), ["reserve-stock-or-wait-for-it"], Snapshot(owner_name(user))
        )
        await register(account, wanted, role=None, owner=owner)
        names = await registered(account)
        assert len(names) == 2
        assert {len(name) for name in names} == {80}
        assert len(await clean(account=account, owner=replace(ME, user=user))) == 2
        assert await registered(account) == []


async def test_what_only_looks_like_a_run_stays(here: Account) -> None:
    name = f"add-dev-{ME.user}-abcdefghijkl"
    await here.call("CreateActivity", name=f"{here.namespace}--{name}")
    await clean(account=here)
    assert await registered(here) == [f"{here.namespace}--{name}"]
