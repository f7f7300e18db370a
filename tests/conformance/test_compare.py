"""The comparison of histories itself: what it must see, and what it must overlook."""

import copy
from typing import Any

import pytest

from tests.conformance.compare import differences

Event = dict[str, Any]


def _history(*events: tuple[str, int, dict[str, Any]]) -> list[Event]:
    return [
        {"id": number, "type": kind, "previousEventId": previous, "timestamp": number, **details}
        for number, (kind, previous, details) in enumerate(events, start=1)
    ]


def _iteration(index: int) -> dict[str, Any]:
    return {"mapIterationStartedEventDetails": {"index": index, "name": "Each"}}


STARTED = ("ExecutionStarted", 0, {"executionStartedEventDetails": {"input": {"x": [1]}, "roleArn": "snf_role_arn"}})
ENDED = {"executionSucceededEventDetails": {"output": {"id": "arn:<partition>:states::<name>", "y": "date"}}}
SIMPLE = _history(STARTED, ("PassStateEntered", 0, {}), ("PassStateExited", 2, {}), ("ExecutionSucceeded", 3, ENDED))
MAP = _history(
    STARTED,
    ("MapStateEntered", 0, {}),
    ("MapStateStarted", 2, {}),
    ("MapIterationStarted", 3, _iteration(0)),
    ("MapIterationStarted", 3, _iteration(1)),
    ("PassStateEntered", 4, {}),
    ("PassStateEntered", 5, {}),
    ("MapStateSucceeded", 7, {}),
    ("ExecutionSucceeded", 8, ENDED),
)


def _played(recorded: list[Event]) -> list[Event]:
    """As an engine would tell it: documents as text, values for placeholders."""
    actual = copy.deepcopy(recorded)
    actual[0]["executionStartedEventDetails"] = {"input": '{"x": [1]}', "roleArn": "arn:aws:iam::1:role/r"}
    actual[-1]["executionSucceededEventDetails"] = {"output": '{"id":"arn:aws:states::me","y":"2024-01-01"}'}
    return actual


def _renumbered(events: list[Event], order: list[int]) -> list[Event]:
    """The same events in another order, with ids as that order gives them."""
    ids = {0: 0} | {old: new for new, old in enumerate(order, start=1)}
    by_id = {event["id"]: event for event in events}
    return [{**by_id[old], "id": ids[old], "previousEventId": ids[by_id[old]["previousEventId"]]} for old in order]


@pytest.mark.parametrize("recorded", [SIMPLE, MAP], ids=["simple", "map"])
def test_placeholders_times_and_documents(recorded: list[Event]):
    assert differences(recorded, _played(recorded)) == []


def _with(number: int, **members: Any) -> list[Event]:
    actual = _played(SIMPLE)
    actual[number] |= members
    return actual


@pytest.mark.parametrize(
    "actual",
    [
        _played(SIMPLE)[:-1],
        [*_played(SIMPLE)[:2], *_played(SIMPLE)[1:]],
        _with(1, type="WaitStateEntered"),
        _with(2, previousEventId=1),
        _with(0, executionStartedEventDetails={"input": '{"x": [2]}', "roleArn": "r"}),
        _with(0, executionStartedEventDetails={"input": '{"x": [true]}', "roleArn": "r"}),
        _with(0, executionStartedEventDetails={"input": '{"x": [1, 2]}', "roleArn": "r"}),
        _with(0, executionStartedEventDetails={"input": '{"x": [1], "y": 2}', "roleArn": "r"}),
        _with(0, executionStartedEventDetails={"input": '{"x": [1]}'}),
        _with(1, stateEnteredEventDetails={"name": "surplus"}),
        _renumbered(_played(SIMPLE), [1, 3, 2, 4]),
    ],
)
def test_what_differs(actual: list[Event]):
    assert differences(SIMPLE, actual)


def test_what_is_ignored():
    actual = _with(2, previousEventId=1)
    assert differences(SIMPLE, actual, ignore=frozenset({"previousEventId"})) == []


@pytest.mark.parametrize("order", [[1, 2, 3, 5, 4, 7, 6, 8, 9], [1, 2, 3, 4, 6, 5, 7, 8, 9]])
def test_branches_may_be_interleaved_differently(order: list[int]):
    assert differences(MAP, _renumbered(_played(MAP), order)) == []


@pytest.mark.parametrize(
    "order", [[1, 2, 3, 4, 5, 6, 8, 7, 9], [2, 1, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 6, 4, 5, 7, 8, 9]]
)
def test_but_not_with_what_surrounds_them(order: list[int]):
    assert differences(MAP, _renumbered(_played(MAP), order))


def test_a_recording_that_stops_early():
    assert differences(SIMPLE[:1], _played(SIMPLE)) == []
    assert differences(SIMPLE[:3], _played(SIMPLE)) == []
    assert differences(MAP[:3], _played(SIMPLE)) != []


def test_a_recording_with_gaps():
    recorded = [{**event, "id": [0]} if event["id"] == 3 else event for event in SIMPLE if event["id"] != 2]
    assert differences(recorded, _played(SIMPLE)) == []
