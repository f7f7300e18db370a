"""The states of an execution, put together from histories that AWS recorded and from the engine's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.account import unique
from tests.executions.machines import WAITS, registered
from tests.machines.conformance import needs_cases, recorded_cases
from workers import ActivityError, Registry, Worker
from workers.executions import start_execution, stop_execution
from workers.executions.watching import progress_of, watch_execution
from workers.histories.event import Event
from workers.histories.progress import Progress
from workers.histories.visits import Outcome
from workers.stepfunctions.account import Account

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def event(number: int, previous: int, kind: str, **details: Any) -> Event:
    return Event(number, previous, kind, NOW, details)


def played(*events: Event) -> Progress:
    progress = Progress()
    for one in events:
        progress.add(one)
    return progress


def outcomes(progress: Progress) -> dict[str, str]:
    return {name: str(state.outcome) for name, state in progress.states.items()}


def recorded(case: dict[str, Any]) -> Progress:
    def details(found: dict[str, Any]) -> dict[str, Any]:
        return next((value for key, value in found.items() if key.endswith("EventDetails")), {})

    found = sorted(case["events"], key=lambda one: one["id"])
    return played(*(Event(one["id"], one["previousEventId"], one["type"], NOW, details(one)) for one in found))


WHOLE = [
    case
    for case in recorded_cases()
    if len(case["events"]) > 1 and all(isinstance(event["id"], int) for event in case["events"])
]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["id"].rpartition("::")[2])
def test_recorded_histories_make_sense(case: dict[str, Any]) -> None:
    progress = recorded(case)
    found = set(outcomes(progress).values())
    assert progress.status == case["events"][-1]["type"]
    assert not progress.running
    if progress.status == "ExecutionFailed":
        assert "failed" in found
    else:
        assert "aborted" not in found
    entered = [one["stateEnteredEventDetails"]["name"] for one in case["events"] if "stateEnteredEventDetails" in one]
    assert sum(len(state.visits) for state in progress.states.values()) == len(entered)


@needs_cases
def test_a_map_that_fails_in_one_of_its_items() -> None:
    case = next(case for case in WHOLE if case["id"].endswith("test_map_state_retry_legacy"))
    states = recorded(case).states
    assert (states["MapState"].outcome, states["MapState"].retries) == (Outcome.FAILED, 2)
    assert states["MapState"].error == "HandleItemFailError"
    assert (len(states["HandleItemFail"].visits), states["HandleItemFail"].depth) == (3, 1)
    assert states["MapState"].to_json() == {
        "state": "MapState",
        "type": "Map",
        "outcome": "failed",
        "visits": 1,
        "retries": 2,
        "error": "HandleItemFailError",
    }


def test_branches_beside_one_that_fails_are_aborted_and_a_catcher_leads_on() -> None:
    progress = played(
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "TaskStateEntered", name="Bad"),
        event(5, 3, "WaitStateEntered", name="Slow"),
        event(6, 4, "ActivityScheduled"),
        event(7, 6, "ActivityStarted"),
        event(8, 7, "ActivityFailed", error="Oops"),
        event(9, 8, "ParallelStateFailed", error="Oops"),
        event(10, 9, "ParallelStateExited", name="Both"),
        event(11, 10, "PassStateEntered", name="Mend"),
    )
    assert outcomes(progress) == {"Both": "caught", "Bad": "failed", "Slow": "aborted", "Mend": "running"}
    assert progress.running == {"Mend"}
    assert [state.depth for state in progress.states.values()] == [0, 1, 1, 0]
    assert progress.last == 11


def test_a_redrive_goes_on_in_the_state_that_failed() -> None:
    failed = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "TaskStateEntered", name="Work"),
        event(3, 2, "ActivityScheduled"),
        event(4, 3, "ActivityTimedOut", error="States.Timeout"),
        event(5, 4, "ExecutionFailed", error="States.Timeout"),
    ]
    progress = played(*failed)
    assert (progress.status, outcomes(progress)) == ("ExecutionFailed", {"Work": "failed"})
    progress.add(event(6, 5, "ExecutionRedriven"))
    progress.add(event(7, 6, "ActivityScheduled"))
    assert (progress.status, outcomes(progress)) == (None, {"Work": "running"})
    progress.add(event(8, 7, "ActivityStarted"))
    progress.add(event(9, 8, "ActivitySucceeded"))
    progress.add(event(10, 9, "TaskStateExited", name="Work"))
    progress.add(event(11, 10, "ExecutionSucceeded"))
    assert outcomes(progress) == {"Work": "succeeded"}
    work = progress.states["Work"]
    assert (work.retries, work.failures, work.error) == (1, 1, None)


def test_a_redrive_goes_on_in_each_state_that_failed_side_by_side() -> None:
    progress = played(
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "TaskStateEntered", name="Left"),
        event(5, 3, "TaskStateEntered", name="Right"),
        event(6, 4, "ActivityScheduled", resource="left"),
        event(7, 5, "ActivityScheduled", resource="right"),
        event(8, 7, "ActivityFailed", error="Oops"),
        event(9, 8, "ParallelStateFailed", error="Oops"),
        event(10, 9, "ExecutionFailed", error="Oops"),
    )
    assert outcomes(progress) == {"Both": "failed", "Left": "aborted", "Right": "failed"}
    for more in (
        event(11, 0, "ExecutionRedriven"),
        event(12, 11, "ActivityScheduled", resource="right"),
        event(13, 11, "ActivityScheduled", resource="left"),
    ):
        progress.add(more)
    assert outcomes(progress) == {"Both": "running", "Left": "running", "Right": "running"}
    for more in (
        event(14, 12, "ActivitySucceeded"),
        event(15, 14, "TaskStateExited", name="Right"),
        event(16, 13, "ActivitySucceeded"),
        event(17, 16, "TaskStateExited", name="Left"),
        event(18, 17, "ParallelStateSucceeded"),
        event(19, 18, "ParallelStateExited", name="Both"),
        event(20, 19, "ExecutionSucceeded"),
    ):
        progress.add(more)
    assert progress.status == "ExecutionSucceeded"
    assert set(outcomes(progress).values()) == {"succeeded"}


def test_a_redrive_enters_a_fail_state_anew() -> None:
    progress = played(
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "FailStateEntered", name="Bad"),
        event(5, 4, "ParallelStateFailed"),
        event(6, 5, "ExecutionFailed"),
        event(7, 6, "ExecutionRedriven"),
        event(8, 7, "FailStateEntered", name="Bad"),
    )
    assert outcomes(progress) == {"Both": "running", "Bad": "failed"}
    assert [visit.around and visit.around.state for visit in progress.states["Bad"].visits] == ["Both", "Both"]


async def test_an_execution_is_watched_to_its_end(account, here: Account) -> None:
    registry = Registry()
    activity, attempts = unique("flaky"), []

    @registry.activity(activity)
    async def flaky(item: int) -> int:
        attempts.append(item)
        if attempts.count(item) == 1:
            raise ActivityError("Flaky")
        if item == 3:
            raise ActivityError("Bad")
        return item

    task = {
        "type": "task",
        "resource": activity,
        "parameters": {"item.$": "$"},
        "retry": [{"error_equals": "Flaky", "interval_seconds": 1}],
        "catch": [{"error_equals": "Bad", "next": "Skip"}],
        "end": True,
    }
    states = {"Work": task, "Skip": {"type": "pass", "end": True}}
    definition = {
        "start_at": "Each",
        "timeout_seconds": 60,
        "states": {"Each": {"type": "map", "item_processor": {"start_at": "Work", "states": states}, "end": True}},
    }
    machine = await registered(here, definition)
    async with Worker(registry):
        started = await start_execution(machine, [1, 3], account=here)
        looks = [outcomes(progress) async for progress in watch_execution(started, account=here)]
    last = await progress_of(started, account=here)
    assert looks[-1] == outcomes(last) == {"Each": "succeeded", "Work": "caught", "Skip": "succeeded"}
    work = last.states["Work"]
    assert (len(work.visits), work.retries, work.error) == (2, 2, "Bad")
    assert work.seconds(NOW) >= 1


async def test_what_runs_is_known_while_it_runs(here: Account) -> None:
    started = await start_execution(await registered(here, WAITS), account=here)
    async for progress in watch_execution(started.arn, account=here):
        if progress.status is None and progress.running:
            assert outcomes(progress) == {"Wait": "running"}
            await stop_execution(started, account=here)
    assert (progress.status, outcomes(progress)) == ("ExecutionAborted", {"Wait": "aborted"})
