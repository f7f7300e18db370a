"""Histories over all pages, lists, and the state that failed."""

from datetime import UTC, datetime

import pytest

from tests.executions.machines import ECHO, WAITS, fails, registered
from tests.proxy import Proxy, opened
from workers.errors import UsageError
from workers.executions import (
    Status,
    describe_execution,
    execution_history,
    list_executions,
    start_execution,
    stop_execution,
)
from workers.executions import history as history_module
from workers.executions import listing as listing_module
from workers.executions.failure import failed_state
from workers.histories.event import from_item
from workers.stepfunctions.account import Account


async def test_a_history_is_read_over_all_pages_from_both_ends(here: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_PAGE", 2)
    done = await start_execution(await registered(here, fails()), {"x": 1}, wait=True, account=here)
    events = [event async for event in execution_history(done, account=here)]
    types = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]
    assert [event.type for event in events] == types
    assert [event.id for event in events] == [1, 2, 3, 4, 5]
    assert [event.state for event in events] == [None, "First", "First", "Break", None]
    assert events[1].details["input"] == {"x": 1}
    assert events[4].to_json()["details"] == {"error": "Boom", "cause": "as the test says"}

    backwards = [event async for event in execution_history(done.arn, newest_first=True, data=False, account=here)]
    assert [event.id for event in backwards] == [5, 4, 3, 2, 1]
    assert "input" not in backwards[-1].details


def test_what_aws_cut_stays_text() -> None:
    cut = {"input": '{"x": 1', "inputDetails": {"truncated": True}, "name": "S"}
    event = from_item(
        {"id": 2, "type": "PassStateEntered", "timestamp": datetime.now(UTC), "stateEnteredEventDetails": cut}
    )
    assert event.details["input"] == '{"x": 1'
    assert event.previous == 0


async def test_executions_are_listed_over_all_pages_by_status(here: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "_PAGE", 2)
    machine = await registered(here, WAITS)
    started = [(await start_execution(machine, account=here)).arn for _ in range(5)]
    assert [one.arn async for one in list_executions(machine.name, account=here)] == started[::-1]
    await stop_execution(started[0], account=here)
    assert [one.arn async for one in list_executions(machine.arn, status="ABORTED", account=here)] == started[:1]
    assert [one.arn async for one in list_executions(machine.arn, status=Status.RUNNING, account=here)] == started[
        :0:-1
    ]
    async for one in list_executions(machine.name):  # left early: nothing stays open
        assert one.status is Status.RUNNING
        break
    for arn in started[1:]:
        await stop_execution(arn, account=here)


async def test_a_status_that_there_is_not_is_refused(here: Account) -> None:
    with pytest.raises(UsageError, match="there is no status 'DONE': an execution is RUNNING, SUCCEEDED, FAILED"):
        await anext(list_executions("any", status="DONE", account=here))


async def test_only_as_much_of_a_history_is_read_as_is_needed(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_PAGE", 2)
    async with opened() as here:
        done = await start_execution(await registered(here, fails()), wait=True, account=here)
        proxy.calls.clear()
        assert await failed_state(here, done.arn) == "Break"
    assert len(proxy.called("GetExecutionHistory")) == 1


async def test_an_execution_that_timed_out_tells_the_state_that_it_was_in(here: Account) -> None:
    definition = {
        "StartAt": "First",
        "TimeoutSeconds": 1,
        "States": {"First": {"Type": "Pass", "Next": "Wait"}, **WAITS["States"]},
    }
    machine = await registered(here, definition)
    done = await start_execution(machine, wait=True, account=here)
    assert (done.status, done.failed_state) == (Status.TIMED_OUT, "Wait")


async def test_what_succeeds_has_no_state_that_failed(here: Account) -> None:
    done = await start_execution(await registered(here, ECHO), wait=True, account=here)
    assert (await describe_execution(done.arn, account=here)).failed_state is None
    assert await describe_execution(done, account=here) == done
