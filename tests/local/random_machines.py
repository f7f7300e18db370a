"""Random state machines over all state types, and an engine without HTTP that runs them, and can be killed."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

from hypothesis import strategies as st

from tests.account import ROLE
from workers.local.clock import ManualClock
from workers.local.errors import ApiError
from workers.local.operations.tasks import send_task_failure, send_task_success
from workers.local.region import Region
from workers.local.regions import Regions, accepted
from workers.local.services import OtherServices
from workers.local.store import Store

REGION = "us-east-1"
ACTIVITY = f"arn:aws:states:{REGION}:123456789012:activity:work"
TURNS = 20_000

Machine = dict[str, Any]

_RETRY = [{"ErrorEquals": ["E"], "IntervalSeconds": 5, "MaxAttempts": 2, "BackoffRate": 2.0}]


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

    def arguments(self, name: str) -> Machine:
        return {"Parameters": {"state": name, "attempt.$": "$$.State.RetryCount", "value.$": "$"}}


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

    def arguments(self, name: str) -> Machine:
        attempt = "{% $states.context.State.RetryCount %}"
        return {"Arguments": {"state": name, "attempt": attempt, "value": "{% $states.input %}"}}


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine that ends whatever its handlers do, in either language."""
    maker = _Maker(draw, draw(st.sampled_from([JsonPath(), Jsonata()])))
    machine = maker.branch(draw(st.integers(1, 2)))
    return {**machine, **maker.speaks.top, **draw(st.sampled_from([{}, {"TimeoutSeconds": 10_000_000}]))}


class _Maker:
    """Draws the states of one machine."""

    def __init__(self, draw: st.DrawFn, speaks: JsonPath | Jsonata) -> None:
        self._draw = draw
        self._names = (f"S{number}" for number in range(10_000))
        self.speaks = speaks

    def branch(self, depth: int) -> Machine:
        chain = [next(self._names) for _ in range(self._draw(st.integers(1, 3)))]
        states: dict[str, Any] = {}
        for name, following in zip(chain, [*chain[1:], None], strict=True):
            states |= self._state(depth, name, following)
        return {"StartAt": chain[0], "States": states}

    def _state(self, depth: int, name: str, following: str | None) -> dict[str, Any]:
        simple = ["Pass", "Task", "Task", "Wait", "Choice"] + (["Succeed", "Fail"] if following is None else [])
        kind = self._draw(st.sampled_from(simple + (["Parallel", "Map", "Distributed"] if depth else [])))
        way: dict[str, Any] = {"End": True} if following is None else {"Next": following}
        match kind:
            case "Pass":
                return {name: {"Type": "Pass", **self.speaks.passing(name), **way}}
            case "Task":
                times = {"TimeoutSeconds": 100, "HeartbeatSeconds": 50}
                fields = {**self.speaks.arguments(name), **times, **self._failing(), **way}
                return {name: {"Type": "Task", "Resource": ACTIVITY, **fields}}
            case "Wait":
                return {name: {"Type": "Wait", "Seconds": self._draw(st.integers(0, 1_000)), **way}}
            case "Choice":
                return self._choice(name, following, way)
            case "Succeed":
                return {name: {"Type": "Succeed"}}
            case "Fail":
                return {name: {"Type": "Fail", "Error": "E", "Cause": "c"}}
            case "Parallel":
                branches = [self.branch(depth - 1) for _ in range(self._draw(st.integers(1, 3)))]
                fields = {**self._failing(), **self._caught(following), **way}
                return {name: {"Type": "Parallel", "Branches": branches, **fields}}
        return self._map(depth, name, following, way, distributed=kind == "Distributed")

    def _choice(self, name: str, following: str | None, way: Machine) -> dict[str, Any]:
        other = next(self._names)
        rule = {**self.speaks.done, "Next": following or other}
        return {
            name: {"Type": "Choice", "Choices": [rule], "Default": other},
            other: {"Type": "Pass", **self.speaks.result({"other": name}), **way},
        }

    def _map(self, depth: int, name: str, following: str | None, way: Machine, *, distributed: bool) -> dict[str, Any]:
        items = self.speaks.result(list(range(self._draw(st.integers(0, 4)))))
        processor = self.branch(depth - 1)
        if distributed:
            processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        each = {"ItemProcessor": processor, "MaxConcurrency": self._draw(st.integers(0, 2)), **self.speaks.each}
        mapped = {"Type": "Map", **each, **self._failing(), **self._caught(following), **way}
        return {name: {"Type": "Pass", **items, "Next": f"{name}M"}, f"{name}M": mapped}

    def _failing(self) -> Machine:
        return self._draw(st.sampled_from([{}, {"Retry": _RETRY}]))

    def _caught(self, following: str | None) -> Machine:
        if following is None or self._draw(st.booleans()):
            return {}
        return {"Catch": [{"ErrorEquals": ["States.ALL"], **self.speaks.caught, "Next": following}]}


class Engine:
    """An engine on this event loop that keeps what it knows in a directory."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory = directory
        self._seed = seed
        self._clock = ManualClock()
        self._held: list[tuple[str, str]] = []

    async def open(self) -> None:
        self._store = Store(self._directory)
        self._regions = Regions("", self._new_region, OtherServices(0), None, delivered=list)
        await self._regions.keep(self._store)
        self._journal: Any = self._regions._journal
        await self._journal.settled()
        self._journal._writer.cancel()  # what is stored, and when, is the test's to say
        self._poll: asyncio.Task[Any] | None = None
        self.region = self._regions.get(REGION)

    def _new_region(self, place: Any, **how: Any) -> Region:
        return Region(place, clock=self._clock, poll_hold=0, keep=100, **how)

    def store(self) -> None:
        """Writes what has changed."""
        self._store.write(self._journal._collected())

    async def kill(self) -> None:
        """Forgets all that is not stored, and starts again. The worker lives on."""
        self.region.close()
        if self._poll and self._poll.done() and (task := self._poll.result()):
            self._held.append((task.token, task.input))
        elif self._poll:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
        self._store.close()
        await self.open()

    async def start(self, machine: Machine) -> str:
        self.region.activities.create("work")
        made = await self.ask("CreateStateMachine", name="m", definition=json.dumps(machine), roleArn=ROLE)
        self._journal.answered(self.region, made, ACTIVITY)
        started = await self.ask("StartExecution", stateMachineArn=made["stateMachineArn"], name="x", input='{"a": 1}')
        return str(started["executionArn"])

    async def ask(self, operation_name: str, **parameters: Any) -> dict[str, Any]:
        operation, checked = accepted(operation_name, parameters)
        answer: Any = operation(self.region, checked)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def turn(self) -> None:
        """Lets a little happen: in the engine, with the worker, or, when nothing else does, to the time."""
        before = self._clock._touches
        await asyncio.sleep(0)
        self._work()
        await asyncio.sleep(0)
        if self._clock._touches == before and not self._held and (due := self._clock._next()) is not None:
            await self._clock.advance(max(due - self._clock.now(), 0))

    def _work(self) -> None:
        """The worker: reports the task that it holds, and polls for another."""
        if self._held:
            token, given = self._held.pop()
            self._report(token, json.loads(given))
        if self._poll and self._poll.done():
            if task := self._poll.result():
                self._held.append((task.token, task.input))
            self._poll = None
        if not self._poll:
            queue = self.region.activities.queue(ACTIVITY)
            self._poll = asyncio.create_task(queue.take("worker", hold=3_600))

    def _report(self, token: str, given: dict[str, Any]) -> None:
        chance = crc32(f"{self._seed} {given['state']} {given['attempt']} {given['value']}".encode()) % 4
        with suppress(ApiError):  # another branch has failed, and with it this one is over
            if chance == 0:
                send_task_failure(self.region, {"taskToken": token, "error": "E", "cause": "c"})
            else:
                output = json.dumps({"done": given["state"]})
                send_task_success(self.region, {"taskToken": token, "output": output})

    async def close(self) -> None:
        self.region.close()
        if self._poll:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
        self._store.close()


async def play(machine: Machine, seed: int, directory: Path, *, kill_at: int | None = None) -> Any:
    """The execution of a machine at its end; the engine is killed once, after the event `kill_at`."""
    engine = Engine(directory, seed)
    await engine.open()
    arn = await engine.start(machine)
    engine.store()
    for _ in range(TURNS):
        execution = engine.region.execution(arn)
        if not execution.running:
            break
        await engine.turn()
        engine.store()
        if kill_at is not None and len(execution.events) >= kill_at:
            kill_at = None
            await engine.kill()
    execution = engine.region.execution(arn)
    await engine.close()
    return execution
