"""Random machines run to an end, leave well-formed histories, and do not notice that the engine was killed."""

import asyncio
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.local.killable import Kill, play
from tests.local.random_machines import LONG, Scenario, scenarios
from tests.local.well_formed import branches_of, check

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
KILLS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=3)
"""After which share of the events, and whether the last of them were stored."""

ENDS = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def played(scenario: Scenario, kills: Iterable[Kill] = (), *, redriven: bool = False) -> Any:
    machine, seed, stopped = scenario
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(play(machine, seed, Path(directory), stopped=stopped, kills=kills, redriven=redriven))


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
    killed = played(scenario, moments(undisturbed, kills))
    check_histories(killed, scenario.machine)
    assert result(killed) == result(undisturbed)


def check_redriven(scenario: Scenario, kills: list[tuple[float, bool]]) -> None:
    """It ends well, unless the machine itself says otherwise, and whether the engine is killed before or after."""
    undisturbed = played(scenario, redriven=True)
    event(f"{undisturbed.status} after {undisturbed.redrives} redrives")
    if '"Fail"' not in json.dumps(scenario.machine) and scenario.machine["TimeoutSeconds"] == LONG:
        assert undisturbed.status == "SUCCEEDED"
    killed = played(scenario, moments(undisturbed, kills), redriven=True)
    assert (killed.redrives, *result(killed)) == (undisturbed.redrives, *result(undisturbed))
    assert [one["id"] for one in killed.events] == list(range(1, len(killed.events) + 1))


def moments(undisturbed: Any, kills: list[tuple[float, bool]]) -> list[Kill]:
    there_are = events(undisturbed)
    return [Kill(1 + int(share * (there_are - 1)), stored) for share, stored in kills]


@quick
@given(scenarios())
def test_random_machines(scenario: Scenario):
    check_random_machine(scenario)


@quick
@given(scenarios(), KILLS)
def test_random_machines_on_an_engine_that_is_killed(scenario: Scenario, kills: list[tuple[float, bool]]):
    check_killed(scenario, kills)


@quick
@given(scenarios(), KILLS)
def test_random_machines_are_redriven(scenario: Scenario, kills: list[tuple[float, bool]]):
    check_redriven(scenario, kills)


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
@thorough
@given(scenarios(), KILLS)
def test_many_random_machines_are_redriven(scenario: Scenario, kills: list[tuple[float, bool]]):
    check_redriven(scenario, kills)
