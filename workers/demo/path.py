"""The path that an execution took, from its history: which states, in which order, and what happened in them.

Every event of a history names the one that led to it, so that the events of a Map's iterations and a
Parallel's branches, which are interleaved, can be told apart.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.arns import activity_name
from workers.histories.event import Event


@dataclass(slots=True)
class Attempt:
    """One try of an activity task."""

    activity: str
    started: datetime
    ended: datetime | None = None
    worker: str = ""
    error: str = ""
    """The error's name; empty where it succeeded."""
    message: str = ""

    @property
    def seconds(self) -> float:
        """From the moment it was scheduled to its result."""
        return ((self.ended or self.started) - self.started).total_seconds()


@dataclass(slots=True)
class Step:
    """One visit of a state."""

    name: str
    kind: str
    """The state's type: Task, Choice, Map …"""
    inside: "Path"
    input: Any
    attempts: list[Attempt] = field(default_factory=list)
    branches: list["Path"] = field(default_factory=list)
    """The iterations of a Map, the branches of a Parallel."""

    @property
    def caught(self) -> bool:
        """Whether its last attempt failed, and the execution went on all the same."""
        return bool(self.attempts and self.attempts[-1].error and self.following)

    @property
    def following(self) -> "Step | None":
        """The step after it on the same path."""
        steps = self.inside.steps
        place = steps.index(self) + 1
        return steps[place] if place < len(steps) else None


@dataclass(slots=True)
class Path:
    """Steps, one after the other."""

    steps: list[Step] = field(default_factory=list)
    of: Step | None = None
    """The Map or Parallel that it is part of."""


def execution_path(events: Iterable[Event]) -> Path:
    """The path of the execution whose history is `events`, the oldest first."""
    whole = Path()
    read: dict[int, tuple[str, Path | Step]] = {0: ("", whole)}
    for event in events:
        before, place = read[event.previous]
        read[event.id] = event.type, _place(event, before, place)
    return whole


def _place(event: Event, before: str, place: Path | Step) -> Path | Step:
    """The step or path to which `event` belongs; `place` is that of the event before it, whose type is `before`."""
    step = place if isinstance(place, Step) else place.of
    if event.type.endswith("StateEntered"):
        return _enter(event, before, place)
    if step is None:
        return place
    if event.type == "MapIterationStarted":
        step.branches.append(Path(of=step))
        return step.branches[-1]
    if event.type.endswith("StateExited"):
        return _outwards(step, event.details["name"])
    if event.type.startswith("Activity"):
        _note(step, event)
    return place


def _enter(event: Event, before: str, place: Path | Step) -> Step:
    if isinstance(place, Path):
        inside = place
    elif before == "ParallelStateStarted":
        inside = Path(of=place)
        place.branches.append(inside)
    else:
        inside = place.inside
    step = Step(event.details["name"], event.type.removesuffix("StateEntered"), inside, event.details.get("input"))
    inside.steps.append(step)
    return step


def _outwards(step: Step, name: str) -> Step:
    """The step named `name` that is `step` or around it: a Map exits after an event of its last iteration."""
    while step.name != name and step.inside.of:
        step = step.inside.of
    return step


def _note(step: Step, event: Event) -> None:
    """Adds to the attempts of `step` what an Activity… event says."""
    if event.type == "ActivityScheduled":
        step.attempts.append(Attempt(activity_name(event.details["resource"]), event.at))
    elif event.type == "ActivityStarted":
        step.attempts[-1].worker = event.details.get("workerName", "")
    else:
        attempt = step.attempts[-1]
        attempt.ended = event.at
        attempt.error = event.details.get("error", "")
        attempt.message = _message(event.details.get("cause", ""))


def _message(cause: str) -> str:
    """The message in a cause that a worker wrote; any other cause as it is."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
