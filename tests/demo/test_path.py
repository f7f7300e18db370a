"""The path of an execution, from histories as the engine and AWS write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from workers.demo.path import Path, execution_path
from workers.histories.event import Event

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class History:
    """Events with ids, times a second apart, and the id of the event before."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, kind: str, previous: int | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        before = number - 1 if previous is None else previous
        self.events.append(Event(number, before, kind, BEGIN + timedelta(seconds=number), details))
        return number

    def task(self, name: str, *results: str | None, previous: int | None = None) -> int:
        """A Task state and its attempts: the name of an error, or None for success."""
        self.add("TaskStateEntered", previous, name=name, input={})
        for error in results:
            self.add("ActivityScheduled", resource=f"arn:aws:states:us-east-1:123456789012:activity:{name}-activity")
            self.add("ActivityStarted", workerName="me")
            if error:
                self.add("ActivityFailed", error=error, cause='{"errorMessage": "no luck"}')
            else:
                self.add("ActivitySucceeded", output="1")
        return self.add("TaskStateExited", name=name)


def shape(path: Path) -> list[Any]:
    """The names, with the branches of a step behind it."""
    found: list[Any] = []
    for step in path.steps:
        found += [step.name, *([[shape(branch) for branch in step.branches]] if step.branches else [])]
    return found


def test_attempts_retries_and_a_catch() -> None:
    history = History()
    history.add("ExecutionStarted", 0, input={})
    history.task("Try", "Oops", "Oops", previous=0)
    history.add("PassStateEntered", name="Give up", input={})
    path = execution_path(history.events)
    assert shape(path) == ["Try", "Give up"]
    tried, given_up = path.steps
    assert [(attempt.activity, attempt.worker, attempt.error) for attempt in tried.attempts] == [
        ("Try-activity", "me", "Oops")
    ] * 2
    assert tried.attempts[0].message == "no luck"
    assert tried.attempts[0].seconds == 2
    assert tried.caught
    assert tried.following is given_up
    assert not given_up.caught


def test_an_error_that_ends_the_execution_is_not_caught() -> None:
    history = History()
    history.add("ExecutionStarted", 0, input={})
    history.add("TaskStateEntered", 0, name="Try", input={})
    history.add("ActivityScheduled", resource="arn:aws:states:us-east-1:123456789012:activity:a")
    history.add("ActivityTimedOut", error="States.Timeout")
    history.add("ExecutionFailed", error="States.Timeout")
    (step,) = execution_path(history.events).steps
    assert step.attempts[0].error == "States.Timeout"
    assert not step.caught


def test_iterations_that_are_interleaved_are_told_apart() -> None:
    history = History()
    history.add("ExecutionStarted", 0, input={})
    history.add("MapStateEntered", 0, name="Each", input={})
    started = history.add("MapStateStarted", length=2)
    first = history.add("MapIterationStarted", started, name="Each", index=0)
    second = history.add("MapIterationStarted", started, name="Each", index=1)
    first = history.task("A", None, previous=first)
    second = history.task("A", None, previous=second)
    first = history.task("B", None, previous=first)
    history.add("MapIterationSucceeded", second, name="Each", index=1)
    last = history.add("MapIterationSucceeded", first, name="Each", index=0)
    history.add("MapStateSucceeded", last)
    history.add("MapStateExited", last, name="Each")
    history.add("SucceedStateEntered", name="End", input={})
    assert shape(execution_path(history.events)) == ["Each", [["A", "B"], ["A"]], "End"]


def test_branches_that_are_interleaved_are_told_apart() -> None:
    history = History()
    history.add("ExecutionStarted", 0, input={})
    history.add("ParallelStateEntered", 0, name="Both", input={})
    started = history.add("ParallelStateStarted")
    left = history.task("Left", None, previous=started)
    right = history.task("Right", None, previous=started)
    history.task("More left", None, previous=left)
    history.add("ParallelStateSucceeded", right)
    history.add("ParallelStateExited", right, name="Both")
    history.add("PassStateEntered", name="End", input={})
    assert shape(execution_path(history.events)) == ["Both", [["Left", "More left"], ["Right"]], "End"]
