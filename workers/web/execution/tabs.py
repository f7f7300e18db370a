"""What stands in the tabs below the picture."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from workers.executions.execution import Execution, from_description
from workers.histories.event import Event
from workers.histories.visits import Visit
from workers.web.execution.ends import error_of
from workers.web.execution.followed import Followed
from workers.web.execution.timeline import ROWS, time_line
from workers.web.execution.view import View

_BRIEF = 200
_HIDDEN = frozenset({"inputDetails", "outputDetails", "input", "output", "parameters", "heartbeatInSeconds", "region"})
_CHILDREN_FIRST = ("FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "PENDING_REDRIVE", "SUCCEEDED")
_CHILDREN = 100


async def tab(followed: Followed, view: View) -> dict[str, Any]:
    """What the template of the chosen tab needs. Raises `ServiceError`."""
    maps = [one for state in followed.progress.states.values() if state.type == "Map" for one in state.visits]
    values: dict[str, Any] = {"tabs": _tabs(followed, maps), "rows_at_once": ROWS}
    if view.tab == "timeline":
        return values | {"line": time_line(followed, view.start)}
    if view.tab == "events":
        events = followed.events[view.start : view.start + ROWS]
        return values | {"events": events, "tone": tone, "particulars": particulars}
    if view.tab == "items":
        return values | await _items(followed, view, maps)
    return values


def tone(event: Event) -> str:
    """The outcome whose colour an event has."""
    if event.type.endswith(("Failed", "TimedOut")):
        return "failed"
    if event.type.endswith("Aborted"):
        return "aborted"
    return "succeeded" if event.type.endswith("Succeeded") else ""


def particulars(event: Event) -> Iterator[tuple[str, str]]:
    """What an event tells, in brief: inputs and outputs stand with the steps."""
    for name, value in event.details.items():
        if name not in _HIDDEN and not isinstance(value, dict | list):
            text = str(value)
            yield name, text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


def _tabs(followed: Followed, maps: list[Visit]) -> list[tuple[str, str, int | None]]:
    steps = sum(len(state.visits) for state in followed.progress.states.values())
    found: list[tuple[str, str, int | None]] = [
        ("timeline", "Time line", steps),
        ("events", "Events", len(followed.events)),
    ]
    if maps:
        found.append(("items", "Map items", None))
    return [*found, ("data", "Input and output", None), ("definition", "Definition", None)]


async def _items(followed: Followed, view: View, maps: list[Visit]) -> dict[str, Any]:
    chosen = next((one for one in maps if one.id == view.visit), None)
    chosen = chosen or next((one for one in maps if one.state == view.state), maps[0] if maps else None)
    names = Counter(one.state for one in maps)
    values: dict[str, Any] = {"maps": maps[:_CHILDREN], "chosen_map": chosen, "maps_named": names.__getitem__}
    if chosen is None:
        return values | {"children": [], "items": [], "counts": []}
    if run := next((event for event in chosen.events if event.type == "MapRunStarted"), None):
        return values | await _children(followed, str(run.details["mapRunArn"]))
    items = followed.items.of_map(chosen)
    counts = list(Counter(str(item.outcome) for item in items).items())
    shown = items[view.start : view.start + ROWS]
    return values | {"children": [], "items": shown, "total": len(items), "counts": counts, "error_of": error_of}


async def _children(followed: Followed, run: str) -> dict[str, Any]:
    """The first executions of a Map run, those that failed before others, and how many there are of each status."""
    described = await followed.account.call("DescribeMapRun", mapRunArn=run)
    found: list[Execution] = []
    for status in _CHILDREN_FIRST:
        if len(found) < _CHILDREN:
            page = await followed.account.call(
                "ListExecutions", mapRunArn=run, statusFilter=status, maxResults=_CHILDREN - len(found)
            )
            found += map(from_description, page["executions"])
    names = ("failed", "timedOut", "aborted", "running", "pending", "succeeded")
    words = {"timedOut": "timed out", "pending": "waiting"}
    counts = described["executionCounts"]
    return {"children": found, "counts": [(words.get(name, name), counts[name]) for name in names if counts.get(name)]}
