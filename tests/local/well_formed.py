"""What makes a history well-formed, also of executions that fail, are stopped or run out of time.

Ids count from 1, times never go back, one event ends the execution and nothing comes after it. Between them, lines of
states are followed along `previousEventId`: the execution is one, and so is each branch of a Parallel and each
iteration of a Map. Whatever is entered ends in exactly one way:

- it is exited, after its work has succeeded, or has failed and was caught;
- it fails, and with it the line that it is in: there is one such line in a Map or Parallel that fails, and none other
  is left open, because the others were aborted or had come to their end;
- it is aborted, because another line failed;
- it is open when the execution is stopped, times out, or ends by a States.Runtime, of which AWS says no more.

Recordings of AWS are held to the same rules, in `test_well_formed.py`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Event = dict[str, Any]

_STATE = re.compile(r"(Pass|Choice|Succeed|Fail|Wait|Task|Map|Parallel)State([A-Z]\w+)")
_WORK = re.compile(r"(?:Activity|Task|LambdaFunction)(Schedul|Start|Submit|Succeed|Fail|TimedOut)\w*")
_JOINS = ("Map", "Parallel")

# In which phases a task may be when it comes to another.
_COMES_FROM = {
    "Schedul": {"entered", "failed"},
    "Start": {"scheduled"},
    "Submit": {"started"},
    "Succeed": {"started", "submitted"},
    "Fail": {"started", "submitted"},
    "TimedOut": {"started", "submitted"},
}
_PHASES = {"Schedul": "scheduled", "Start": "started", "Submit": "submitted", "Succeed": "succeeded"}


class Visit:
    """A state, from its entry on."""

    def __init__(self, line: "Line", name: str, kind: str, number: int, before: int) -> None:
        self.line = line
        self.name = name
        self.kind = kind
        self.before = before
        """The event that its entry followed."""
        self.phase = "failed" if kind == "Fail" else "entered"
        self.last = number
        """The last event of its own."""
        self.lines: dict[int, Line] = {}
        """Within a Map or Parallel, of its present attempt."""
        self.length: int | None = None
        """Lines that there will be."""
        self.succeeded = False
        """Whether its end was told, which its exit comes after."""

    def may_be_followed(self) -> set[int]:
        """Events that the next one of the state's own may follow."""
        return {self.last} | {line.last for line in self.lines.values()}


class Line:
    """A line of states on its way."""

    def __init__(self, parent: Visit | None, start: int) -> None:
        self.parent = parent
        self.last = start
        """The event that its next one follows."""
        self.visit: Visit | None = None
        self.end: str | None = None
        """How an iteration ended, once that was told."""
        self.evaluation_failed = False

    @property
    def stands(self) -> str:
        """Whether what it has entered was left, has failed, was aborted, or is open."""
        if self.evaluation_failed:
            return "failed"
        if self.visit is None:
            return "left"
        return self.visit.phase if self.visit.phase in {"left", "failed", "aborted"} else "open"

    @property
    def map(self) -> Visit:
        """Of an iteration."""
        assert self.parent
        assert self.parent.kind == "Map"
        return self.parent

    def ends_after(self, before: int, index: int, name: str) -> bool:
        """Whether it is an open iteration of the Map `name`, which may end after the event `before`.

        Nothing follows the event of a state that was aborted, but what that one follows.
        """
        around = self.parent
        if not around or around.name != name or around.lines.get(index) is not self or self.end:
            return False
        aborted = self.visit and self.visit.phase == "aborted"
        return before == self.last or bool(aborted and self.visit and before in self.visit.may_be_followed())

    def up(self) -> "Iterator[Line]":
        """The line and those around it."""
        line: Line | None = self
        while line:
            yield line
            line = line.parent.line if line.parent else None


def check(events: list[Event], branches: Mapping[str, int] | None = None) -> None:
    """Raises `AssertionError` for a history that is not well-formed. `branches`: of Parallel states, by name."""
    _Checker(events, branches or {}).check()


def branches_of(definition: Any) -> dict[str, int]:
    """How many branches the Parallel states in a definition have, by name."""
    found: dict[str, int] = {}
    if isinstance(definition, list):
        for part in definition:
            found |= branches_of(part)
    elif isinstance(definition, dict):
        for name, part in definition.items():
            if isinstance(part, dict) and part.get("Type") == "Parallel":
                found[name] = len(part["Branches"])
            found |= branches_of(part)
    return found


class _Checker:
    def __init__(self, events: list[Event], branches: Mapping[str, int]) -> None:
        self._events = events
        self._branches = branches
        self._root = Line(None, 0)
        self._home: dict[int, Line] = {0: self._root}

    def check(self) -> None:
        events = self._events
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        times = [event["timestamp"] for event in events]
        assert times == sorted(times)
        assert (events[0]["type"], events[0]["previousEventId"]) == ("ExecutionStarted", 0)
        for event in events[1:-1]:
            try:
                self._home[event["id"]] = self._take(event)
            except (AssertionError, KeyError, StopIteration) as error:
                raise AssertionError(f"event {event['id']} {event['type']}: {error!r}") from error
        self._end(events[-1])

    def _take(self, event: Event) -> Line:
        kind, before = event["type"], event["previousEventId"]
        assert before < event["id"]
        line = self._home[before]
        if match := _STATE.fullmatch(kind):
            return self._state(event, line, *match.groups())
        if kind.startswith("MapIteration"):
            return self._iteration(event, line, kind.removeprefix("MapIteration"))
        if kind.startswith("MapRun"):
            return self._map_run(event, line, kind.removeprefix("MapRun"))
        if kind == "EvaluationFailed":
            return self._evaluation(event, line)
        match = _WORK.fullmatch(kind)
        assert match, "unknown"
        return self._work(event, line, *match.groups(), failed=kind.endswith("Failed"))

    def _state(self, event: Event, line: Line, kind: str, what: str) -> Line:
        if what == "Entered":
            return self._enter(event, line, kind)
        number, before = event["id"], event["previousEventId"]
        visit = _found(line, kind, before, failed=what == "Exited")
        line = visit.line
        match what:
            case "Exited":
                assert event["stateExitedEventDetails"]["name"] == visit.name
                self._leave(visit)
            case "Aborted":
                assert visit.phase != "left"
                assert kind in (*_JOINS, "Wait", "Task")
                _close(visit)
                visit.phase = "aborted"
                return line  # nothing follows it (measured on AWS)
            case "Started":
                assert visit.phase in {"entered", "failing"} or _failures(visit)
                _close(visit)
                visit.lines, visit.phase = {}, "started"
                details = event.get("mapStateStartedEventDetails", {})
                visit.length = self._branches.get(visit.name) if kind == "Parallel" else details.get("length")
            case "Succeeded":
                self._succeed(visit)
                return line  # the exit follows what this follows
            case "Failed":
                assert visit.phase == "failing" or _failures(visit)
                _close(visit)
                visit.lines, visit.phase = {}, "failed"
        visit.last = line.last = number
        return line

    def _enter(self, event: Event, line: Line, kind: str) -> Line:
        number, before = event["id"], event["previousEventId"]
        around = line.visit
        if around and around.kind == "Parallel" and around.phase == "started" and before == around.last:
            line = around.lines[len(around.lines)] = Line(around, before)
        assert before == line.last
        assert line.stands == "left"
        assert line.end is None
        line.visit = Visit(line, event["stateEnteredEventDetails"]["name"], kind, number, before)
        line.last = number
        return line

    def _leave(self, visit: Visit) -> None:
        match visit.kind:
            case "Task":
                assert visit.phase in {"succeeded", "failed"}
            case "Map" | "Parallel":
                assert visit.phase == "failed" or visit.succeeded
            case _:
                assert visit.phase == "entered"
        visit.phase = "left"

    def _succeed(self, visit: Visit) -> None:
        assert visit.phase in {"started", "run ended"}
        if visit.phase == "started":
            assert all(line.stands == "left" for line in visit.lines.values())
            assert visit.kind == "Parallel" or all(line.end == "Succeeded" for line in visit.lines.values())
            assert visit.length in {None, len(visit.lines)}
        visit.succeeded = True
        if (
            visit.kind == "Map"
        ):  # its exit follows the last iteration that ended, that of a Parallel any of its branches
            visit.lines = {}

    def _iteration(self, event: Event, line: Line, what: str) -> Line:
        details = event[f"mapIteration{what}EventDetails"]
        number, before, index = event["id"], event["previousEventId"], details["index"]
        if what == "Started":
            visit = _found(line, "Map", before)
            assert visit.phase == "started"
            assert index == len(visit.lines) < (visit.length or 0)
            line = visit.lines[index] = Line(visit, number)
        else:
            line = next(one for one in line.up() if one.ends_after(before, index, details["name"]))
            visit = line.map
            wanted = {"Succeeded": {"left"}, "Failed": {"failed"}, "Aborted": {"aborted", "left"}}
            assert line.stands in wanted[what]
            line.end = what
            if what == "Succeeded":
                visit.last = visit.line.last = number
        assert details["name"] == visit.name
        return line

    def _map_run(self, event: Event, line: Line, what: str) -> Line:
        visit = _found(line, "Map", event["previousEventId"])
        assert not visit.lines
        assert visit.phase == ("started" if what == "Started" else "running")
        visit.phase = {"Started": "running", "Succeeded": "run ended", "Failed": "failing", "Aborted": "aborting"}[what]
        visit.last = visit.line.last = event["id"]
        return visit.line

    def _evaluation(self, event: Event, line: Line) -> Line:
        """A field could not be evaluated: of the state in this line, or of the Map around it."""
        state, before = event["evaluationFailedEventDetails"]["state"], event["previousEventId"]
        within = line.visit.lines.values() if line.visit else ()
        for candidate in (*line.up(), *within):
            visit = candidate.visit
            if visit and visit.name == state and before in {visit.before, *visit.may_be_followed()}:
                if candidate is not line and line.parent is visit:
                    line.evaluation_failed = True  # an ItemSelector
                    line.last = event["id"]
                    return line
                assert visit.phase not in {"left", "failed", "failing"}
                visit.phase = "failing" if visit.kind in _JOINS else "failed"
                visit.last = candidate.last = event["id"]
                return candidate
        raise AssertionError(f"it is not of {state}")

    def _work(self, event: Event, line: Line, what: str, *, failed: bool) -> Line:
        visit = line.visit
        assert visit
        assert visit.kind == "Task"
        assert event["previousEventId"] == line.last
        assert visit.phase in _COMES_FROM[what]
        visit.phase = "failed" if failed else _PHASES.get(what, "failed")
        visit.last = line.last = event["id"]
        return line

    def _end(self, event: Event) -> None:
        kind, before = event["type"], event["previousEventId"]
        root = self._root
        if kind == "ExecutionSucceeded":
            assert before == root.last
            assert root.stands == "left"
        elif kind == "ExecutionFailed" and event["executionFailedEventDetails"].get("error") != "States.Runtime":
            assert before == root.last
            assert root.stands == "failed"
        elif kind == "ExecutionFailed":
            line = self._home[before]
            assert line.visit
            assert line.stands in {"open", "failed"}
            assert before in line.visit.may_be_followed()
        else:
            assert kind in {"ExecutionTimedOut", "ExecutionAborted"}
            assert before == 0


def _found(line: Line, kind: str, before: int, *, failed: bool = False) -> Visit:
    """The state of that kind, around a line or in it, that an event which follows `before` is of.

    `failed`: it may be a Map or Parallel of which it was told that it has failed.
    """
    over = {"left", "aborted"} | ({"failed"} if kind in _JOINS and not failed else set())
    for candidate in line.up():
        visit = candidate.visit
        if visit and visit.kind == kind and visit.phase not in over and before in visit.may_be_followed():
            return visit
    raise AssertionError(f"no {kind} goes on after event {before}")


def _failures(visit: Visit) -> int:
    """Lines within a state that failed."""
    return sum(line.end == "Failed" or line.stands == "failed" for line in visit.lines.values())


def _close(visit: Visit) -> None:
    """None of the lines within a state is left open, and one at most has failed."""
    for index, line in visit.lines.items():
        assert line.stands != "open", f"line {index} of {visit.name} is open"
        assert visit.kind != "Map" or line.end, f"the end of iteration {index} of {visit.name} is missing"
    assert _failures(visit) <= 1
