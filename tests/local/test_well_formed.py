"""The rules for random machines hold for histories that were recorded on AWS, and notice what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.player import Case, load_cases
from tests.local.well_formed import branches_of, check

Event = dict[str, Any]

APART = (
    "MAP_STATE_REFERENCE_IN_ITEM_SELECTOR",
    "test_map_state_config_distributed_item_selector_parameters",
    "test_map_state_config_distributed_items_path_from_previous",
    "test_parallel_state_nested",
)
"""Three recordings from when the exit of a Distributed Map followed the start of its run, and one that has gaps."""

CASES = [case for case in load_cases() if len(case["events"]) > 1 and not any(name in case["id"] for name in APART)]

pytestmark = pytest.mark.skipif(not CASES, reason="the folder with the recorded cases is not beside the repository")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"].rpartition("::")[2])
def test_recorded_histories_are_well_formed(case: Case):
    check(case["events"], branches_of(case["definition"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"].rpartition("::")[2])
def test_an_event_too_few_or_too_many_is_noticed(case: Case):
    for events in (*without_one(case["events"]), *with_one_twice(case["events"])):
        with pytest.raises(AssertionError):
            check(events, branches_of(case["definition"]))


def without_one(events: list[Event]) -> Iterator[list[Event]]:
    """The history without each of its events, numbered as if it had never been.

    A Map may end with the execution before or after it has started: there it is not said of which field AWS complained.
    """
    for gone, following in zip(events, [*events[1:], None], strict=True):
        if following is events[-1] and gone["type"] == "MapStateStarted":
            continue
        number, before = gone["id"], gone["previousEventId"]
        moved = {event["id"]: event["id"] - (event["id"] > number) for event in events} | {0: 0}
        moved[number] = moved[before]
        yield [_moved(event, moved) for event in events if event is not gone]


def with_one_twice(events: list[Event]) -> Iterator[list[Event]]:
    """The history with each of its events written twice, the second of which the others follow."""
    for position, twice in enumerate(events):
        number = twice["id"]
        moved = {event["id"]: event["id"] + (event["id"] >= number) for event in events} | {0: 0}
        again = _moved(twice, moved) | {"previousEventId": number}
        yield [*events[: position + 1], again, *(_moved(event, moved) for event in events[position + 1 :])]


def _moved(event: Event, ids: dict[int, int]) -> Event:
    return event | {"id": ids[event["id"]], "previousEventId": ids[event["previousEventId"]]}
