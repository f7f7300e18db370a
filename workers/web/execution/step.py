"""One step: a visit of a state, with what went in and came out, its attempts and what they failed with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.histories.event import Event, from_item
from workers.histories.visits import Visit
from workers.web.execution.followed import Followed
from workers.web.execution.items import Item
from workers.web.execution.values import Failure, failure_of
from workers.web.execution.words import word

_PAGE = 1_000
_ENDS = {"Succeeded": "succeeded", "Aborted": "aborted"}
_BESIDE = 3
"""Events read beyond those that are wanted, for those that came in between."""
MISSING: Any = object()
"""Where there is no input or output (yet): null is one."""


@dataclass(slots=True)
class Attempt:
    """One time that the work of a state was begun."""

    number: int
    scheduled: datetime
    started: datetime | None = None
    """When a worker took it."""
    ended: datetime | None = None
    worker: str | None = None
    outcome: str = "running"
    failure: Failure | None = None

    @property
    def queued(self) -> float | None:
        """Seconds until a worker took it."""
        return (self.started - self.scheduled).total_seconds() if self.started else None

    def seconds(self, now: datetime) -> float:
        """From when it was taken, or where nobody tells, begun, to its end."""
        return ((self.ended or now) - (self.started or self.scheduled)).total_seconds()


@dataclass(slots=True)
class Step:
    """A visit with everything that is known of it."""

    visit: Visit
    word: str
    item: Item | None
    visits: list[Visit] = field(repr=False)
    """All visits of the state, in their order."""
    input: Any = MISSING
    output: Any = MISSING
    attempts: list[Attempt] = field(default_factory=list)
    failure: Failure | None = None
    resource: str = ""

    @property
    def place(self) -> int:
        """The how-manieth visit of its state it is, from 0."""
        return self.visits.index(self.visit)

    @property
    def shows_failure(self) -> bool:
        """Whether its last failure is what one wants to read first: it did not come right later."""
        return self.failure is not None and self.word not in {"succeeded", "running", "waiting"}

    @property
    def is_distributed(self) -> bool:
        """Whether it is a Map whose items run in executions of their own."""
        return any(event.type == "MapRunStarted" for event in self.visit.events)

    @property
    def is_replayed(self) -> bool:
        """Whether `workers replay --state` runs this very task: an activity's, the last of its state that failed."""
        failed = [one for one in self.visits if one.failures]
        return ":activity:" in self.resource and bool(failed) and max(failed, key=_last_failure) is self.visit

    @property
    def has_input(self) -> bool:
        """Whether its input is known."""
        return self.input is not MISSING

    @property
    def has_output(self) -> bool:
        """Whether it has come to an output."""
        return self.output is not MISSING


def _last_failure(visit: Visit) -> int:
    """The id of the event that told of it; 0 where there is none."""
    return max((event.id for event in visit.events if event.type.endswith(("Failed", "TimedOut"))), default=0)


async def step_of(followed: Followed, visit: Visit) -> Step:
    """The step with its data, which is read now. Raises `ServiceError`."""
    visits = followed.progress.states[visit.state].visits
    step = Step(visit, word(visit), followed.items.of(visit), visits)
    for event in await _with_data(followed, visit):
        _take(step, event)
    if visit.type == "Fail":
        step.failure = failure_of(followed.fails.get(visit.state, {}))
    if step.failure is None and visit is followed.progress.cause:
        step.failure = failure_of({"error": followed.execution.error, "cause": followed.execution.cause})
    if visit.left and step.attempts and step.attempts[-1].ended is None:
        step.attempts[-1].ended, step.attempts[-1].outcome = visit.left, str(visit.outcome)
    return step


def attempts_of(events: Iterable[Event]) -> list[Attempt]:
    """The attempts in the events of a visit, with or without their data."""
    attempts: list[Attempt] = []
    for event in events:
        _attempt(attempts, event)
    return attempts


def _take(step: Step, event: Event) -> None:
    if event.type.endswith("StateEntered"):
        step.input = event.details.get("input", MISSING)
    elif event.type.endswith("StateExited"):
        step.output = event.details.get("output", MISSING)
        return
    elif failure := failure_of(event.details):
        step.failure = failure
    if resource := event.details.get("resource"):
        step.resource = str(resource)
    _attempt(step.attempts, event)


def _attempt(attempts: list[Attempt], event: Event) -> None:
    if event.type.endswith("Scheduled"):
        attempts.append(Attempt(len(attempts) + 1, event.at, outcome="waiting"))
    elif not attempts or event.type.startswith("Map") or event.type.endswith(("StateEntered", "StateExited")):
        return
    elif event.type.endswith("Started"):
        attempts[-1].started, attempts[-1].outcome = event.at, "running"
        attempts[-1].worker = event.details.get("workerName")
    elif event.type.endswith(("Succeeded", "Failed", "TimedOut", "Aborted")):
        ends = (end for end in _ENDS if event.type.endswith(end))
        attempts[-1].ended, attempts[-1].outcome = event.at, next((_ENDS[end] for end in ends), "failed")
        attempts[-1].failure = failure_of(event.details)


async def _with_data(followed: Followed, visit: Visit) -> list[Event]:
    """The events of a visit with inputs and outputs, read from that end of the history that is nearer to each."""
    key = (visit.id, len(visit.events))
    if known := followed.read_steps.get(key):
        return known
    wanted = [event for event in visit.events if not event.type.startswith("MapIteration")]
    total = followed.progress.last
    early = {event.id for event in wanted if event.id <= total / 2}
    late = {event.id for event in wanted} - early
    found = await _read(followed, early, max(early, default=0), newest_first=False)
    found |= await _read(followed, late, total - min(late, default=total) + 1, newest_first=True)
    events = [found.get(event.id, event) for event in wanted]
    followed.remember_step(key, events)
    return events


async def _read(followed: Followed, wanted: set[int], distance: int, *, newest_first: bool) -> dict[int, Event]:
    found: dict[int, Event] = {}
    if not wanted:
        return found
    async for item in followed.history(newest_first=newest_first, data=True, page=min(_PAGE, distance + _BESIDE)):
        if item["id"] in wanted:
            found[item["id"]] = from_item(item)
            if len(found) == len(wanted):
                break
    return found
