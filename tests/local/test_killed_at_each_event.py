"""An engine that is killed at each event in turn, stored or not yet: what became of the execution is the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.local.killable import ACTIVITY, Kill
from tests.local.random_machines import LONG, Scenario, scenarios
from tests.local.test_random_machines import check_histories, events, played, quick, result


def work(state: str, **fields: Any) -> dict[str, Any]:
    """A Task state that tells its worker what it is."""
    limits = {name: value for name, value in fields.items() if name.endswith("Seconds")}
    given = {"state": state, "attempt.$": "$$.State.RetryCount", "value.$": "$", "limits": limits}
    return {"Type": "Task", "Resource": ACTIVITY, "Parameters": given, "End": True, **fields}


def side_by_side(first: dict[str, Any], caught: str) -> dict[str, Any]:
    """A machine of three branches, of which the first two have work and the third waits; then it waits once more."""
    branches = [
        {"StartAt": "A", "States": {"A": first}},
        {"StartAt": "B", "States": {"B": work("B")}},
        {"StartAt": "C", "States": {"C": {"Type": "Wait", "Seconds": 90, "Next": "D"}, "D": work("D")}},
    ]
    catch = [{"ErrorEquals": [caught], "Next": "After"}]
    states = {
        "Fork": {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True},
        "After": {"Type": "Wait", "Seconds": 500, "End": True},
    }
    return {"StartAt": "Fork", "States": states, "TimeoutSeconds": LONG}


FAILS = Scenario(side_by_side(work("A"), "E"), 0, None)
GOES_SILENT = Scenario(
    side_by_side(work("A", TimeoutSeconds=900, HeartbeatSeconds=20), "States.HeartbeatTimeout"), 2, None
)


def ended_twice() -> dict[str, Any]:
    """A machine in which a branch, and another within its neighbour, run out of time at the same moment."""
    wait = {"StartAt": "C", "States": {"C": {"Type": "Wait", "Seconds": 600, "End": True}}}
    inner = {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": work("A", TimeoutSeconds=60)}}, wait]}
    late = {"Late": {"Type": "Wait", "Seconds": 10, "Next": "B"}, "B": work("B", TimeoutSeconds=50)}
    branches = [
        {"StartAt": "Late", "States": late},
        {"StartAt": "In", "States": {"In": {**inner, "End": True}}},
    ]
    fork = {"Type": "Parallel", "Branches": branches, "End": True}
    return {"StartAt": "Fork", "States": {"Fork": fork}, "TimeoutSeconds": LONG}


ENDED_TWICE = Scenario(ended_twice(), 5, None)


def check_each_event(scenario: Scenario, *, most: int) -> None:
    undisturbed = played(scenario)
    for number in range(1, min(events(undisturbed), most) + 1):
        for stored in (True, False):
            killed = played(scenario, [Kill(number, stored)])
            check_histories(killed, scenario.machine)
            assert result(killed) == result(undisturbed), (number, stored)


@pytest.mark.parametrize(("scenario", "error"), [(FAILS, "E"), (GOES_SILENT, "States.Timeout")])
def test_branches_that_a_failure_has_ended_do_not_go_on(scenario: Scenario, error: str):
    """And what was caught before is caught again: a missed heartbeat as what it is."""
    assert json.loads(played(scenario).output)["Error"] == error
    check_each_event(scenario, most=100)


def test_branches_that_are_ended_twice_are_aborted_once():
    assert result(played(ENDED_TWICE))[2] == "States.Timeout"
    check_each_event(ENDED_TWICE, most=100)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(quick, max_examples=6)
@given(scenarios())
def test_random_machines(scenario: Scenario):
    check_each_event(scenario, most=40)
