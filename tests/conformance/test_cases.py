"""Every case that was recorded on AWS runs on the engine and leaves the same history.

Histories are compared event by event: types, order, inputs, outputs, errors, causes, all details, and what each
event follows. The few that differ are named here with what differs and why; as soon as one of them agrees, its test
fails, and the entry is to be removed.
"""

import asyncio
from typing import NamedTuple

import pytest

from tests.conformance.compare import differences
from tests.conformance.player import Case, Event, load_cases, play_all
from tests.local.helpers import connect
from workers.local import LocalStepFunctions

CASES = load_cases()

pytestmark = pytest.mark.skipif(not CASES, reason="the folder with the recorded cases is not beside the repository")


class Deviation(NamedTuple):
    """Members of events in which the engine differs from AWS, and why."""

    members: frozenset[str]
    why: str


CAUSE = frozenset({"cause", "Cause"})
_BASE, _ASSIGN = "scenarios/test_base_scenarios.py::TestBaseScenarios::", "assign/test_assign_reference_variables.py"
_ASSIGN = f"{_ASSIGN}::TestAssignReferenceVariables::"

DEVIATIONS: dict[str, Deviation] = {
    **dict.fromkeys(
        [
            f"{_ASSIGN}test_reference_in_map_state[MAP_STATE_REFERENCE_IN_ITEM_SELECTOR]",
            f"{_BASE}test_map_state_config_distributed_item_selector_parameters",
            f"{_BASE}test_map_state_config_distributed_items_path_from_previous",
        ],
        Deviation(
            frozenset({"previousEventId"}),
            "AWS changed it in 2024: the exit of a Distributed Map followed the end of its run, then its start",
        ),
    ),
    "error_handling/test_task_service_sqs.py::TestTaskServiceSqs::test_send_message_no_such_queue_no_catch": Deviation(
        CAUSE, "the recording names another queue than the input it was made with"
    ),
}

UNEQUAL = {
    "error_handling/test_aws_sdk.py::TestAwsSdk::test_invalid_secret_name": "moto's Secrets Manager takes any name",
}


@pytest.fixture(scope="module")
def histories(engine: LocalStepFunctions) -> dict[str, list[Event]]:
    """What all cases left on the engine; they are played together, because many of them wait."""

    async def play() -> dict[str, list[Event]]:
        async with connect(engine) as client:
            return await play_all(CASES, client)

    return asyncio.run(play())


@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", CASES, ids=[case["id"].partition("::")[2] for case in CASES])
def test_the_history_is_the_one_of_aws(case: Case, histories: dict[str, list[Event]]):
    recorded, actual = case["events"], histories[case["id"]]
    found = differences(recorded, actual)
    if why := UNEQUAL.get(case["id"]):
        assert found, "this case agrees now: remove it from UNEQUAL"
        pytest.xfail(why)
    deviation = DEVIATIONS.get(case["id"])
    if deviation:
        assert found, "this case agrees now: remove it from DEVIATIONS"
        found = differences(recorded, actual, ignore=deviation.members)
    assert not found, "\n".join(found)


def test_every_exception_is_a_case():
    assert {*DEVIATIONS, *UNEQUAL} <= {case["id"] for case in CASES}


def test_all_cases_are_here():
    assert len(CASES) == len({case["id"] for case in CASES}) >= 120
