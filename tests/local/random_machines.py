"""Random state machines over all state types, with handlers that fail, are late, or never answer."""

from itertools import count
from typing import Any, ClassVar, NamedTuple

from hypothesis import strategies as st

from tests.local.killable import ACTIVITY

Machine = dict[str, Any]

LONG = 10_000_000
"""Seconds in which any machine ends."""

ERRORS = [["E"], ["States.Timeout"], ["States.HeartbeatTimeout"], ["States.TaskFailed"], ["Other"], ["States.ALL"]]


class Scenario(NamedTuple):
    """A machine, what its handlers do, and when it is stopped, in seconds."""

    machine: Machine
    seed: int
    stopped: float | None


class JsonPath:
    """The fields of states that speak JSONPath."""

    top: ClassVar[Machine] = {}
    caught: ClassVar[Machine] = {"ResultPath": "$"}
    each: ClassVar[Machine] = {"ItemSelector": {"item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"}}
    done: ClassVar[Machine] = {"Variable": "$.done", "IsPresent": True}

    def passing(self, name: str) -> Machine:
        return {"Parameters": {"at": name, "before.$": "$"}, "Assign": {"v.$": "$"}}

    def result(self, value: Any) -> Machine:
        return {"Result": value}

    def arguments(self, name: str, limits: Machine) -> Machine:
        attempt = {"attempt.$": "$$.State.RetryCount"}
        return {"Parameters": {"state": name, **attempt, "value.$": "$", "limits": limits}}


class Jsonata:
    """The fields of states that speak JSONata."""

    top: ClassVar[Machine] = {"QueryLanguage": "JSONata"}
    caught: ClassVar[Machine] = {}
    each: ClassVar[Machine] = {
        "ItemSelector": {
            "item": "{% $states.context.Map.Item.Value %}",
            "index": "{% $states.context.Map.Item.Index %}",
        }
    }
    done: ClassVar[Machine] = {"Condition": "{% $exists($states.input.done) %}"}

    def passing(self, name: str) -> Machine:
        return {"Output": {"at": name, "before": "{% $states.input %}"}, "Assign": {"v": "{% $states.input %}"}}

    def result(self, value: Any) -> Machine:
        return {"Output": value}

    def arguments(self, name: str, limits: Machine) -> Machine:
        attempt = "{% $states.context.State.RetryCount %}"
        return {"Arguments": {"state": name, "attempt": attempt, "value": "{% $states.input %}", "limits": limits}}


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A machine that ends whatever its handlers do, in either language.

    No two lines of states come to their ends at the same moment by chance: who is first is not for the engine to say.
    Nor are heartbeats missed beside other lines or a deadline, because an engine that is started again gives workers
    as much time for the next one as if they had just sent one.
    """
    maker = _Maker(draw, draw(st.sampled_from([JsonPath(), Jsonata()])), beating=draw(st.booleans()))
    machine = maker.branch(draw(st.integers(0, 2)), beside=False)
    timeout, stopped = LONG, None
    if not maker.beating:
        timeout = draw(st.sampled_from([LONG, LONG, maker.seconds(20)]))
        stopped = draw(st.sampled_from([None, None, maker.seconds(20) + 0.5]))
    return Scenario({**machine, **maker.speaks.top, "TimeoutSeconds": timeout}, draw(st.integers(0, 1_000)), stopped)


class _Maker:
    """Draws the states of one machine."""

    def __init__(self, draw: st.DrawFn, speaks: JsonPath | Jsonata, *, beating: bool) -> None:
        self._draw = draw
        self._names = (f"S{number}" for number in count())
        self._different = count(1)
        self.speaks = speaks
        self.beating = beating
        """Whether tasks have heartbeats."""

    def seconds(self, most: int) -> int:
        """A time that no other is, nor is the sum of few others likely to be."""
        return self._draw(st.integers(2, most)) * 101 + next(self._different)

    def branch(self, depth: int, *, beside: bool = True) -> Machine:
        """`beside`: other lines run beside it."""
        chain = [next(self._names) for _ in range(self._draw(st.integers(1, 3)))]
        states: dict[str, Any] = {}
        for name, following in zip(chain, [*chain[1:], None], strict=True):
            states |= self._state(depth, name, following, beside=beside)
        return {"StartAt": chain[0], "States": states}

    def _state(self, depth: int, name: str, following: str | None, *, beside: bool) -> dict[str, Any]:
        simple = ["Pass", "Task", "Task", "Task", "Wait", "Choice"] + (["Succeed", "Fail"] if following is None else [])
        kind = self._draw(st.sampled_from(simple + (["Parallel", "Map", "Distributed"] if depth else [])))
        way: dict[str, Any] = {"End": True} if following is None else {"Next": following}
        match kind:
            case "Pass":
                return {name: {"Type": "Pass", **self.speaks.passing(name), **way}}
            case "Task":
                return self._task(name, way, beside=beside)
            case "Wait":
                return {name: {"Type": "Wait", "Seconds": self.seconds(9), **way}}
            case "Choice":
                return self._choice(name, following, way)
            case "Succeed":
                return {name: {"Type": "Succeed"}}
            case "Fail":
                return {name: {"Type": "Fail", "Error": "E", "Cause": "c"}}
            case "Parallel":
                branches = [self.branch(depth - 1) for _ in range(self._draw(st.integers(1, 3)))]
                return self._trying(name, {"Type": "Parallel", "Branches": branches}, way)
        return self._map(depth, name, way, distributed=kind == "Distributed")

    def _task(self, name: str, way: Machine, *, beside: bool) -> dict[str, Any]:
        limits = {"TimeoutSeconds": self.seconds(5)} if self._draw(st.integers(0, 4)) else {}
        if limits and self.beating and not beside and self._draw(st.booleans()):
            limits["HeartbeatSeconds"] = self._draw(st.integers(10, 40))
        return self._trying(
            name, {"Type": "Task", "Resource": ACTIVITY, **self.speaks.arguments(name, limits), **limits}, way
        )

    def _choice(self, name: str, following: str | None, way: Machine) -> dict[str, Any]:
        other = next(self._names)
        rule = {**self.speaks.done, "Next": following or other}
        return {
            name: {"Type": "Choice", "Choices": [rule], "Default": other},
            other: {"Type": "Pass", **self.speaks.result({"other": name}), **way},
        }

    def _map(self, depth: int, name: str, way: Machine, *, distributed: bool) -> dict[str, Any]:
        items = self.speaks.result(list(range(self._draw(st.integers(0, 4)))))
        processor = self.branch(depth - 1)
        if distributed:
            processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        each = {"ItemProcessor": processor, "MaxConcurrency": self._draw(st.integers(0, 2)), **self.speaks.each}
        before = {name: {"Type": "Pass", **items, "Next": f"{name}M"}}
        return {**before, **self._trying(f"{name}M", {"Type": "Map", **each}, way)}

    def _trying(self, name: str, state: Machine, way: Machine) -> dict[str, Any]:
        """A state that may try again, and may leave by another way."""
        errors = st.sampled_from(ERRORS)
        retry = [
            {"ErrorEquals": names, "IntervalSeconds": self.seconds(4), "MaxAttempts": 2, "BackoffRate": 2.0}
            for names in _with_all_at_the_end(self._draw(st.lists(errors, max_size=2, unique_by=str)))
        ]
        caught = _with_all_at_the_end(self._draw(st.lists(errors, max_size=2, unique_by=str)))
        fields: Machine = {"Retry": retry} if retry else {}
        if not caught:
            return {name: {**state, **fields, **way}}
        rescue = f"{name}R"
        catch = [{"ErrorEquals": names, **self.speaks.caught, "Next": rescue} for names in caught]
        return {
            name: {**state, **fields, "Catch": catch, **way},
            rescue: {"Type": "Pass", **self.speaks.passing(rescue), **way},
        }


def _with_all_at_the_end(lists: list[list[str]]) -> list[list[str]]:
    """States.ALL must come last."""
    return sorted(lists, key=lambda names: names == ["States.ALL"])
