"""A state machine as boxes and the ways between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workers.machines.model.conditions import ChoiceRule
from workers.machines.model.failures import Catcher
from workers.machines.model.machine import AnyState, Branch, Map, Parallel, StateMachine
from workers.machines.model.states import Choice, Task, Wait
from workers.machines.notation.conditions import write_condition

DISTRIBUTED = "distributed"
"""The detail of a Map whose items run in executions of their own."""


class Kind(StrEnum):
    """Why a machine takes a way."""

    NEXT = "next"
    RULE = "rule"
    DEFAULT = "default"
    CATCH = "catch"


@dataclass(frozen=True, slots=True)
class Way:
    """From one state to another of the same branch."""

    source: str
    target: str
    kind: Kind
    label: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A state."""

    name: str
    type: str
    detail: str
    """What it calls, or how long it waits; may be empty."""
    ends: bool
    """Whether the branch can end here."""
    branches: tuple["Chart", ...] = ()
    """What runs inside of a Parallel or a Map."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The states of a branch, or of the machine itself."""

    start: str
    boxes: dict[str, Box] = field(default_factory=dict)
    ways: tuple[Way, ...] = ()

    def walk(self) -> Iterator[tuple[Box, str | None]]:
        """All boxes, however deep, each with the name of the state it stands in."""
        yield from _walk(self, None)


def chart_of(machine: StateMachine) -> Chart:
    """The chart of a state machine."""
    return _chart(machine)


def condition_text(rule: ChoiceRule) -> str:
    """The condition of a rule as one reads it: `$.value >= 20 and not $.blocked`."""
    return _text(write_condition(rule.condition.to_asl()), nested=False)


def _chart(branch: Branch) -> Chart:
    boxes = {name: _box(name, state) for name, state in branch.states.items()}
    ways = tuple(way for name, state in branch.states.items() for way in _ways(name, state))
    return Chart(branch.start_at, boxes, ways)


def _walk(chart: Chart, around: str | None) -> Iterator[tuple[Box, str | None]]:
    for box in chart.boxes.values():
        yield box, around
        for branch in box.branches:
            yield from _walk(branch, box.name)


def _box(name: str, state: AnyState) -> Box:
    branches: tuple[Chart, ...] = ()
    if isinstance(state, Parallel):
        branches = tuple(map(_chart, state.branches))
    elif isinstance(state, Map):
        branches = (_chart(state.processor),)
    ends = bool(getattr(state, "end", False)) or state.type in {"Succeed", "Fail"}
    return Box(name, state.type, _detail(state), ends, branches)


def _detail(state: AnyState) -> str:
    if isinstance(state, Task):
        return short_resource(state.resource)
    if isinstance(state, Wait):
        seconds = f"{state.seconds} s" if isinstance(state.seconds, int) else state.seconds
        return str(seconds or state.seconds_path or state.timestamp or state.timestamp_path)
    if isinstance(state, Map):
        return DISTRIBUTED if state.distributed else ""
    return getattr(state, "error", None) or ""


def short_resource(resource: str) -> str:
    """The part of an ARN that tells what is called: an activity's name, `lambda:NAME`, `sqs:sendMessage`."""
    parts = resource.split(":", 6)
    if len(parts) == 7 and parts[2] == "states" and parts[5] == "activity":
        return parts[6]
    if len(parts) == 7 and parts[2] == "lambda":
        return f"lambda:{parts[6]}"
    return resource.split(":::", 1)[-1]


def _ways(name: str, state: AnyState) -> Iterator[Way]:
    if isinstance(state, Choice):
        for rule in state.choices:
            yield Way(name, rule.next, Kind.RULE, condition_text(rule))
        if state.default:
            yield Way(name, state.default, Kind.DEFAULT, "else")
    elif target := getattr(state, "next", None):
        yield Way(name, target, Kind.NEXT)
    for catcher in getattr(state, "catch", ()):
        yield Way(name, catcher.next, Kind.CATCH, _errors(catcher))


def _errors(catcher: Catcher) -> str:
    return "any error" if catcher.error_equals == ["States.ALL"] else ", ".join(catcher.error_equals)


def _text(condition: Any, *, nested: bool) -> str:
    """A condition of the notation, as a list, as a text in which the operators stand between what they join."""
    if isinstance(condition, bool):
        return str(condition).lower()
    if isinstance(condition, str):
        return condition[2:-2].strip() if condition.startswith("{%") else condition
    if isinstance(condition, dict):
        return "…"
    operator, *parts = condition
    if operator in {"and", "or"}:
        joined = f" {operator} ".join(_text(part, nested=True) for part in parts)
        return f"({joined})" if nested else joined
    if operator == "not":
        return f"not {_text(parts[0], nested=True)}"
    path, *value = parts
    words = operator.replace("_", " ")
    return f"{path} {words} {_value(value[0])}" if value else f"{path} {words}"


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
