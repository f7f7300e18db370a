"""Random machines run to an end, leave well-formed histories, and do not notice that the engine was killed."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.random_machines import Machine, machines, play

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])


def played(machine: Machine, seed: int, kill_at: int | None = None) -> Any:
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(play(machine, seed, Path(directory), kill_at=kill_at))


def shape(execution: Any) -> list[Any]:
    """Its history, and those of its Maps' executions, without times, tokens and the names of map runs."""
    hidden = {"timestamp", "mapRunStartedEventDetails"}
    own = [{name: value for name, value in event.items() if name not in hidden} for event in execution.events]
    return [own, *map(shape, execution.children)]


def check_history(execution: Any) -> None:
    for child in execution.children:
        check_history(child)
    events = execution.events
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(0 <= event["previousEventId"] < event["id"] for event in events)
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert events[0]["type"] == "ExecutionStarted"
    assert [event["type"] for event in events[1:] if event["type"].startswith("Execution")] == [events[-1]["type"]]
    entered: Counter[str] = Counter()
    for event in events:
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] += 1
        elif "stateExitedEventDetails" in event:
            entered[event["stateExitedEventDetails"]["name"]] -= 1
            assert entered[event["stateExitedEventDetails"]["name"]] >= 0
    kinds = Counter(event["type"] for event in events)
    if not kinds["MapStateFailed"] + kinds["ParallelStateFailed"] and execution.status == "SUCCEEDED":
        assert not +entered or kinds["MapIterationFailed"] or kinds["FailStateEntered"] or kinds["ActivityFailed"]


def check_random_machine(machine: Machine, seed: int) -> None:
    execution = played(machine, seed)
    assert execution.status in {"SUCCEEDED", "FAILED"}, execution.status
    check_history(execution)
    assert shape(played(machine, seed)) == shape(execution)


def check_killed(machine: Machine, seed: int, share: float) -> None:
    undisturbed = played(machine, seed)
    kill_at = 1 + int(share * (len(undisturbed.events) - 1))
    killed = played(machine, seed, kill_at)
    check_history(killed)
    assert (killed.status, killed.output, killed.error, killed.cause) == (
        undisturbed.status,
        undisturbed.output,
        undisturbed.error,
        undisturbed.cause,
    )
    assert Counter(event["type"] for event in killed.events)["ExecutionStarted"] == 1


@quick
@given(machines(), st.integers(0, 1_000))
def test_random_machines(machine: Machine, seed: int):
    check_random_machine(machine, seed)


@quick
@given(machines(), st.integers(0, 1_000), st.floats(0, 1))
def test_random_machines_on_an_engine_that_is_killed(machine: Machine, seed: int, share: float):
    check_killed(machine, seed, share)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@thorough
@given(machines(), st.integers(0, 1_000))
def test_many_random_machines(machine: Machine, seed: int):
    check_random_machine(machine, seed)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@thorough
@given(machines(), st.integers(0, 1_000), st.floats(0, 1))
def test_many_random_machines_on_an_engine_that_is_killed(machine: Machine, seed: int, share: float):
    check_killed(machine, seed, share)
