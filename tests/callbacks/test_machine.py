"""The store of tokens under every order of events: messages and calls that come twice, late, early, or break off."""

import asyncio
import json
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from workers.callbacks import AmbiguousKeyError, Callbacks, Outcome
from workers.callbacks.consumer import Message
from workers.callbacks.sqlite import SqliteTokens
from workers.metrics import Metrics
from workers.stepfunctions.protocol import TaskClosedError
from workers.supervisor.tasks.reports import Reports

KEY = "key"
_MEMORY = "/dev/shm"  # where a write waits for no disk
ARN = "arn:aws:states:us-east-1:123456789012:execution:machine:{}"


class Died(BaseException):
    """Stands for a process that is killed."""


class Steps:
    """Step Functions: which tokens are open, and what they were told."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.told: dict[str, Any] = {}
        self.dies = ""

    async def send_task_success(self, token: str, output: str) -> None:
        if self.dies == "before":
            raise Died
        if token not in self.open:
            raise TaskClosedError("SendTaskSuccess", "TaskTimedOut", "")
        del self.open[token]
        self.told[token] = json.loads(output)
        if self.dies == "after":
            raise Died

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        assert error == "Worker.CallbackKeyInUse"
        if self.open.pop(token, None) is not None:
            self.told[token] = error


class Machine(RuleBasedStateMachine):
    """Executions 0 to 2 wait for one key, each with a token after the other."""

    apart = False

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir=_MEMORY if Path(_MEMORY).is_dir() else None)
        self.callbacks = Callbacks("env", "app", store=f"sqlite://{self.folder.name}/x.db", keys=self.keys())
        self.steps = Steps()
        self.callbacks._store = SqliteTokens(Path(self.folder.name) / "x.db")
        self.callbacks._reports = Reports(self.steps, Metrics(active=False))  # type: ignore[arg-type]
        self.run(self.callbacks._store.__aenter__())
        self.sent: list[Message] = []
        self.finishes: list[tuple[int | None, int]] = []
        self.number = 0

    def keys(self) -> Any:
        return "apart" if self.apart else "refuse"

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of `work`; None where the process died in it."""
        try:
            return self.runner.run(work)
        except Died:
            return None
        finally:
            if hasattr(self, "steps"):
                self.steps.dies = ""

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.settle()
            self.run(self.callbacks._store.__aexit__())
            self.runner.close()
            self.folder.cleanup()

    @rule(execution=st.integers(0, 2), dies=st.sampled_from(["", "", "before", "after"]), retry=st.booleans())
    def a_task_waits(self, execution: int, dies: str, *, retry: bool) -> None:
        """A new token; the one before it in the same execution is closed, as a state has one at a time.

        Only a state whose last task has not succeeded is tried again.
        """
        for token in [token for token, of in self.steps.open.items() if of == execution]:
            del self.steps.open[token]
        self.number += 1
        last = next((one for one in reversed(self.sent) if one.execution == ARN.format(execution)), None)
        same = retry and last and not isinstance(self.steps.told.get(last.token), int)
        entered = last.entered if last and same else str(self.number)
        message = Message(KEY, f"token-{self.number}", ARN.format(execution), entered, self.number)
        self.steps.open[message.token] = execution
        self.sent.append(message)
        self.steps.dies = dies
        self.run(self.callbacks._arrived(message))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_message_comes_again(self, data: st.DataObject) -> None:
        self.run(self.callbacks._arrived(data.draw(st.sampled_from(self.sent))))

    @rule(execution=st.none() | st.integers(0, 2), dies=st.sampled_from(["", "", "before", "after"]))
    def it_is_finished(self, execution: int | None, dies: str) -> None:
        self.number += 1
        name = None if execution is None else ARN.format(execution)
        self.steps.dies = dies
        before = dict(self.steps.told)
        self.finishes.append((execution, self.number))
        try:
            outcome = self.run(self.callbacks.success(KEY, self.number, execution=name))
        except AmbiguousKeyError:
            assert self.apart
            return
        if outcome is Outcome.DELIVERED:
            (token,) = self.steps.told.keys() - before.keys()
            assert self.steps.told[token] == self.number
        elif outcome is not None:
            assert self.steps.told == before

    @precondition(lambda self: self.steps.open)
    @rule(data=st.data())
    def a_task_times_out(self, data: st.DataObject) -> None:
        del self.steps.open[data.draw(st.sampled_from(sorted(self.steps.open)))]

    @rule()
    def settle(self) -> None:
        """What died on the way is done by those who look for it."""

        async def deliver() -> None:
            for key in await self.callbacks._store.pending(before=float("inf"), limit=10):
                for entry in (await self.callbacks._entries(key))[0]:
                    if entry.undelivered:
                        await self.callbacks._deliver(key, entry)

        self.run(deliver())
        entries, _ = self.runner.run(self.callbacks._entries(KEY))
        assert not any(entry.undelivered for entry in entries)
        for entry in entries:
            assert entry.token not in self.steps.open or entry.waits  # whoever waits was not forgotten

    @invariant()
    def what_a_task_is_told_was_meant_for_it(self) -> None:
        if not hasattr(self, "steps"):
            return
        of = {message.token: int(message.execution[-1]) for message in self.sent}
        meant = {number: execution for execution, number in self.finishes}
        results = [value for value in self.steps.told.values() if isinstance(value, int)]
        assert len(results) == len(set(results)), "a finish was told to two tasks"
        for token, value in self.steps.told.items():
            if value == "Worker.CallbackKeyInUse":
                assert not self.apart
            else:
                assert meant[value] in {None, of[token]}

    @invariant()
    def the_latest_token_of_each_waiting_execution_is_known(self) -> None:
        if not hasattr(self, "steps"):
            return
        entries, _ = self.runner.run(self.callbacks._entries(KEY))
        known = {entry.token for entry in entries}
        assert set(self.steps.open) <= known
        executions = [entry.execution for entry in entries]
        assert len(executions) == len(set(executions))


class Apart(Machine):
    apart = True


@pytest.mark.parametrize("machine", [Machine, Apart])
def test_every_order_of_events(machine: type[Machine]):
    case = machine.TestCase
    case.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
    case("runTest").runTest()
