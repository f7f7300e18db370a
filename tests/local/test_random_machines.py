"""Random machines run to an end, leave well-formed histories, and do not notice that the engine was killed."""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.local.killable import Kill, play
from tests.local.random_machines import Scenario, scenarios
from tests.local.well_formed import branches_of, check

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
KILLS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=3)
"""After which share of the events, and whether the last of them were stored."""

ENDS = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def played(scenario: Scenario, kills: Iterable[Kill] = ()) -> Any:
    machine, seed, stopped = scenario
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(play(machine, seed, Path(directory), stopped=stopped, kills=kills))


def check_histories(execution: Any, machine: Any) -> None:
    """Its history, and those of its Maps' executions."""
    assert execution.status in ENDS, execution.status
    check(execution.events, branches_of(machine))
    for child in execution.children:
        check_histories(child, machine)


def history(execution: Any) -> list[Any]:
    """Its history, and those of its Maps' executions, without the names of map runs."""
    own = [
        {name: value for name, value in one.items() if name != "mapRunStartedEventDetails"} for one in execution.events
    ]
    return [own, *map(history, execution.children)]


def result(execution: Any) -> tuple[Any, ...]:
    return execution.status, execution.output, execution.error, execution.cause


def events(execution: Any) -> int:
    return len(execution.events) + sum(map(events, execution.children))


def check_random_machine(scenario: Scenario) -> None:
    execution = played(scenario)
    event(execution.status)
    check_histories(execution, scenario.machine)
    assert history(played(scenario)) == history(execution)


def check_killed(scenario: Scenario, kills: list[tuple[float, bool]]) -> None:
    undisturbed = played(scenario)
    there_are = events(undisturbed)
    at = [Kill(1 + int(share * (there_are - 1)), stored) for share, stored in kills]
    killed = played(scenario, at)
    check_histories(killed, scenario.machine)
    assert result(killed) == result(undisturbed)


@quick
@given(scenarios())
def test_random_machines(scenario: Scenario):
    check_random_machine(scenario)


@quick
@given(scenarios(), KILLS)
def test_random_machines_on_an_engine_that_is_killed(scenario: Scenario, kills: list[tuple[float, bool]]):
    check_killed(scenario, kills)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@thorough
@given(scenarios())
def test_many_random_machines(scenario: Scenario):
    check_random_machine(scenario)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@thorough
@given(scenarios(), KILLS)
def test_many_random_machines_on_an_engine_that_is_killed(scenario: Scenario, kills: list[tuple[float, bool]]):
    check_killed(scenario, kills)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(quick, max_examples=6)
@given(scenarios(), st.booleans())
def test_an_engine_that_is_killed_at_each_event_in_turn(scenario: Scenario, stored: bool):
    undisturbed = played(scenario)
    for number in range(1, min(events(undisturbed), 40) + 1):
        killed = played(scenario, [Kill(number, stored)])
        check_histories(killed, scenario.machine)
        assert result(killed) == result(undisturbed), number
