"""An engine without HTTP that can be killed between any two of its steps, and a worker that outlives it."""

import asyncio
import heapq
import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from tests.account import ROLE
from workers.local.clock import FEW_TURNS, ManualClock
from workers.local.errors import ApiError
from workers.local.region import Region
from workers.local.regions import Regions, accepted
from workers.local.services import OtherServices
from workers.local.store import Store

REGION = "us-east-1"
ACTIVITY = f"arn:aws:states:{REGION}:123456789012:activity:work"
TURNS = 200_000
_REDRIVE = "RedriveExecution"
BEGIN = 4e9
"""When all executions start, so that their histories can be compared with their times."""


class Call(NamedTuple):
    """A call of the worker, due at a time."""

    due: float
    number: int
    operation: str
    parameters: dict[str, Any]


class Kill(NamedTuple):
    """When the engine is killed: once there are so many events, which are stored already, or not yet."""

    events: int
    stored: bool


class Worker:
    """Answers tasks, or does not: as the task and the seed say, whenever it is asked the same."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._mended = False
        """Whether it does whatever it is asked to."""
        self._numbers = count()
        self._calls: list[Call] = []
        self._unanswered: list[Call] = []
        """Calls that the engine has not answered: they are made again if it is killed."""

    def at(self, due: float, operation: str, **parameters: Any) -> None:
        """Makes a call when it is due."""
        heapq.heappush(self._calls, Call(due, next(self._numbers), operation, parameters))

    def take(self, token: str, given: dict[str, Any], now: float) -> None:
        """Has got a task."""
        chance = crc32(f"{self._seed} {given['state']} {given['attempt']} {given['value']}".encode())
        timeout, heartbeat = (given["limits"].get(name) for name in ("TimeoutSeconds", "HeartbeatSeconds"))
        pause, answer = (heartbeat or 40) / 2, {"taskToken": token, "output": json.dumps({"done": given["state"]})}
        match 9 if self._mended else chance % 10:
            case 0 | 1:
                self.at(now, "SendTaskFailure", taskToken=token, error="E", cause="c")
            case 2 if timeout or chance % 4 == 0:  # never answers
                pass
            case 3:
                self._beat(token, now, pause, until=3 * pause)
                self.at(now + 4 * pause, "SendTaskSuccess", **answer)
            case 4 if timeout:  # beats as long as there is a task, and no longer answers than others
                self._beat(token, now, pause, until=timeout + pause)
            case 5:
                self.at(now + (timeout or 50) + 1, "SendTaskSuccess", **answer)
            case _:
                self.at(now, "SendTaskSuccess", **answer)

    def _beat(self, token: str, now: float, pause: float, *, until: float) -> None:
        for beat in range(1, int(until / pause) + 1):
            self.at(now + beat * pause, "SendTaskHeartbeat", taskToken=token)

    def redrive(self, execution: str, now: float) -> None:
        """Forgets what it wanted to do, mends its handlers, and redrives an execution."""
        self._mended = True
        self._calls.clear()
        self._unanswered.clear()
        self.at(now, _REDRIVE, executionArn=execution)

    @property
    def redrives(self) -> bool:
        """Whether it is about to redrive an execution."""
        return any(call.operation == _REDRIVE for call in self._calls)

    @property
    def mended(self) -> bool:
        return self._mended

    def next_due(self) -> float | None:
        return self._calls[0].due if self._calls else None

    def due(self, now: float) -> Iterable[Call]:
        """The calls that are made now."""
        while self._calls and self._calls[0].due <= now:
            self._unanswered.append(heapq.heappop(self._calls))
            yield self._unanswered[-1]

    def answered(self) -> None:
        """The engine has answered all calls, and may be forgetting none of them."""
        self._unanswered.clear()

    def unanswered(self) -> None:
        """The engine was killed: what it did not answer is asked again."""
        for call in self._unanswered:
            heapq.heappush(self._calls, call)
        self._unanswered.clear()


class Engine:
    """An engine on this event loop that keeps what it knows in a directory."""

    def __init__(self, directory: Path, worker: Worker) -> None:
        self._directory = directory
        self._worker = worker
        self.clock = ManualClock()
        self.clock.go_on(BEGIN)
        self._taken: Any = None
        self._still = 0
        """Turns in which nothing has happened."""
        self._stored = 0

    async def open(self) -> None:
        self._store = Store(self._directory)
        self._regions = Regions("", self._new_region, OtherServices(0), None, delivered=list)
        await self._regions.keep(self._store)
        self._journal: Any = self._regions._journal
        await self._journal.settled()
        self._journal._writer.cancel()  # what is stored, and when, is the test's to say
        self._stored = self._journal._changes
        self._poll: asyncio.Task[Any] | None = None
        self.region = self._regions.get(REGION)

    def _new_region(self, place: Any, **how: Any) -> Region:
        return Region(place, clock=self.clock, poll_hold=0, keep=100, **how)

    def store(self) -> None:
        """Writes what has changed, and answers whoever waits for that."""
        if self._journal._changes != self._stored:
            self._stored = self._journal._changes
            self._store.write(self._journal._collected())
        self._worker.answered()
        self._look()
        if self._taken:
            self._worker.take(self._taken.token, json.loads(self._taken.input), self.clock.now())
            self._taken = None

    async def kill(self) -> None:
        """Forgets all that is not stored, and starts again. The worker lives on."""
        await self._close()
        self._taken = None
        self._worker.unanswered()
        await self.open()

    async def start(self, machine: dict[str, Any]) -> str:
        self.region.activities.create("work")
        made = await self._ask("CreateStateMachine", name="m", definition=json.dumps(machine), roleArn=ROLE)
        self._journal.answered(self.region, made, ACTIVITY)
        started = await self._ask("StartExecution", stateMachineArn=made["stateMachineArn"], name="x", input='{"a": 1}')
        return str(started["executionArn"])

    async def _ask(self, operation_name: str, **parameters: Any) -> dict[str, Any]:
        operation, checked = accepted(operation_name, parameters)
        answer: Any = operation(self.region, checked)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def turn(self) -> None:
        """One step of the event loop, with what the worker does then; the next timer, once nothing else happens."""
        before = self.clock._touches
        self._look()
        for call in self._worker.due(self.clock.now()):
            with suppress(ApiError):  # the task is closed
                await self._ask(call.operation, **call.parameters)
        if not self._poll and not self._taken:
            queue = self.region.activities.queue(ACTIVITY)
            self._poll = asyncio.create_task(queue.take("worker", hold=3_600))
        await asyncio.sleep(0)
        self._still = 0 if self._taken or self.clock._touches != before else self._still + 1
        if self._still > FEW_TURNS:
            self._still = 0
            self._move_on()

    def _move_on(self) -> None:
        """To the next timer of the engine, or call of the worker."""
        timer, call = self.clock._next(), self._worker.next_due()
        due = [when for when in (timer, call) if when is not None]
        if due:
            self.clock.go_on(min(due))
        if timer is not None and timer <= self.clock.now():
            self.clock._fire_next()

    def _look(self) -> None:
        """Looks whether the poll has brought a task, which the worker gets as soon as that is stored."""
        if self._poll and self._poll.done():
            self._taken, self._poll = self._poll.result(), None

    def events(self, arn: str) -> int:
        """How many events there are, also those of the executions that its Maps have started."""

        def counted(execution: Any) -> int:
            return len(execution.events) + sum(map(counted, execution.children))

        return counted(self.region.execution(arn))

    def runs(self, arn: str) -> bool:
        """Whether an execution still runs, or one that its Maps have started."""

        def running(execution: Any) -> bool:
            return execution.running or any(map(running, execution.children))

        return running(self.region.execution(arn))

    async def close(self) -> None:
        await self._close()

    async def _close(self) -> None:
        self.region.close()
        if self._poll:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
        self._store.close()


async def play(
    machine: dict[str, Any],
    seed: int,
    directory: Path,
    *,
    stopped: float | None,
    kills: Iterable[Kill] = (),
    redriven: bool = False,
) -> Any:
    """The execution of a machine at its end. `stopped`: seconds after which it is stopped.

    `redriven`: where it does not succeed, it is redriven once, with handlers that never fail.
    """
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    worker, left = Worker(seed), sorted(kills, reverse=True)
    engine = Engine(directory, worker)
    await engine.open()
    arn = await engine.start(machine)
    engine.store()
    if stopped is not None:
        worker.at(BEGIN + stopped, "StopExecution", executionArn=arn, error="S", cause="s")
    for _ in range(TURNS):
        await engine.turn()
        kill = left.pop() if left and engine.events(arn) >= left[-1].events else None
        if not kill or kill.stored:
            engine.store()
        if kill:
            await engine.kill()
        if engine.runs(arn) or worker.redrives:
            continue
        if worker.mended or not redriven or engine.region.execution(arn).status == "SUCCEEDED":
            break
        worker.redrive(arn, engine.clock.now())
    execution = engine.region.execution(arn)
    await engine.close()
    assert not faults, faults
    return execution
