"""Compares the history of an execution with one that was recorded on AWS.

A recording has placeholders where names, times and ids stood, and holds documents (inputs, outputs, some causes) as
values instead of JSON text. Two histories agree when their events agree one by one: type, details, and the event
they follow. Within a Map or a Parallel, whose branches run side by side, the events may be interleaved differently;
the events of each branch must still follow one another as recorded.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]

# What recordings say for values that are new in each run.
_ANY_TEXT = frozenset({"timestamp", "date", "map_run_arn"})
_PLACEHOLDER = re.compile(r"<[^<>\s]+>|\b(?:111111111111|activity_arn|snf_role_arn|someNonexistentBucketName)\b")

_CONCURRENT = ("MapStateStarted", "ParallelStateStarted", "MapRunStarted")
_JOINING = re.compile(r"(MapState|ParallelState|MapRun)(Succeeded|Failed|Aborted|Exited)|Execution\w+")


def differences(recorded: list[Event], actual: list[Event], *, ignore: frozenset[str] = frozenset()) -> list[str]:
    """Says where `actual` differs from what AWS `recorded`; an empty list when it does not.

    `ignore`: members of events that are not compared, wherever they are, such as {"previousEventId", "cause"}.
    """
    if not recorded[-1]["type"].startswith("Execution") or len(recorded) == 1:
        actual = actual[: len(recorded)]  # the recording was stopped before the execution ended
    if not _is_complete(recorded):
        actual = _only_recorded(recorded, actual)
        ignore |= {"previousEventId"}
    types = [[event["type"] for event in events] for events in (recorded, actual)]
    if sorted(types[0]) != sorted(types[1]):
        return [f"AWS's events: {', '.join(types[0])}", f"      events: {', '.join(types[1])}"]
    return list(_pairwise(recorded, actual, ignore))


def _pairwise(recorded: list[Event], actual: list[Event], ignore: frozenset[str]) -> Iterator[str]:
    """Finds the recorded event for each actual one, in its order, and compares the two."""
    regions = _concurrent_regions(recorded)
    left = dict(enumerate(recorded))
    recorded_ids: dict[Any, Any] = {0: 0}  # by the ids of the actual events
    for event in actual:
        complaints = {
            position: list(_event(left[position], event, recorded_ids, ignore))
            for position in _candidates(event, left, regions)
        }
        if not complaints:
            yield f"event {event['id']}: {event['type']} is not in its place"
            return
        best = min(complaints, key=lambda position: len(complaints[position]))
        yield from complaints[best]
        recorded_ids[event["id"]] = left.pop(best)["id"]


def _is_complete(recorded: list[Event]) -> bool:
    return [event["id"] for event in recorded] == list(range(1, len(recorded) + 1))


def _only_recorded(recorded: list[Event], actual: list[Event]) -> list[Event]:
    """The events of `actual` that are in a recording with gaps: of the recorded type and state, in order."""
    events = iter(actual)
    found = (next((event for event in events if _what(event) == _what(wanted)), None) for wanted in recorded)
    return [event for event in found if event is not None]


def _what(event: Event) -> tuple[str, Any]:
    """The type of an event and the state it is of."""
    names = [details.get("name") for details in event.values() if isinstance(details, dict)]
    return event["type"], names[0] if names else None


def _concurrent_regions(events: list[Event]) -> list[tuple[int, ...]]:
    """For each event the positions at which the concurrent states around it began, outermost first."""
    open_states: list[int] = []
    regions = []
    for position, event in enumerate(events):
        if event["type"].startswith("Execution"):
            open_states = []
        elif _JOINING.fullmatch(event["type"]) and not event["type"].endswith("Exited"):
            open_states = open_states[:-1]
        regions.append(tuple(open_states))
        if event["type"] in _CONCURRENT:
            open_states.append(position)
    return regions


def _candidates(event: Event, left: dict[int, Event], regions: list[tuple[int, ...]]) -> Iterator[int]:
    """Positions of the recorded events that this may be: the first that is left, or one that ran beside it."""
    first = min(left, default=None)
    for position, other in left.items():
        beside = first is not None and regions[first] and regions[position][:1] == regions[first][:1]
        if position != first and not beside:
            return
        if other["type"] == event["type"]:
            yield position


def _event(recorded: Event, actual: Event, recorded_ids: dict[Any, Any], ignore: frozenset[str]) -> Iterator[str]:
    where = f"event {actual['id']} {actual['type']}"
    follows = recorded_ids.get(actual["previousEventId"])
    if "previousEventId" not in ignore and follows != recorded["previousEventId"]:
        yield f"{where}: follows {actual['previousEventId']}, on AWS {recorded['previousEventId']}"
    details = [
        {name: value for name, value in event.items() if name.endswith("EventDetails")} for event in (recorded, actual)
    ]
    yield from _value(*details, where, ignore)


def _value(recorded: Any, actual: Any, where: str, ignore: frozenset[str]) -> Iterator[str]:
    if not isinstance(recorded, str) or isinstance(_document(recorded), list | dict):
        recorded, actual = _document(recorded), _document(actual)
    if isinstance(recorded, dict) and isinstance(actual, dict):
        for name in sorted((recorded.keys() | actual.keys()) - ignore):
            if name not in actual:
                yield f"{where}.{name} is missing, on AWS it is {recorded[name]!r}"
            elif name not in recorded:
                yield f"{where}.{name} is {actual[name]!r}, on AWS it is missing"
            else:
                yield from _value(recorded[name], actual[name], f"{where}.{name}", ignore)
    elif isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        for number, (one, other) in enumerate(zip(recorded, actual, strict=True)):
            yield from _value(one, other, f"{where}[{number}]", ignore)
    elif not _same(recorded, actual):
        yield f"{where} is {actual!r}, on AWS {recorded!r}"


def _document(value: Any) -> Any:
    """What a JSON text says; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _same(recorded: Any, actual: Any) -> bool:
    if isinstance(recorded, str) and isinstance(actual, str):
        return recorded in _ANY_TEXT or _pattern(recorded).fullmatch(actual) is not None
    return type(recorded) is type(actual) and bool(recorded == actual)


def _pattern(recorded: str) -> re.Pattern[str]:
    """Matches `recorded`, with anything in the place of its placeholders."""
    return re.compile(".+".join(map(re.escape, _PLACEHOLDER.split(recorded))), re.DOTALL)
