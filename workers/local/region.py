"""Everything the engine knows of Step Functions in one region: activities, state machines, executions, tokens."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from workers.arns import Place
from workers.local import task_states  # noqa: F401 - installs itself in the interpreter
from workers.local.activities import Activities
from workers.local.errors import ApiError, execution_does_not_exist
from workers.local.executions import Execution, Executions
from workers.local.interpreter import Run
from workers.local.machines import Machines, Target
from workers.local.tasks import ActivityTask, Tokens


class Region:
    """Step Functions in one region. Lives on the event loop; interpreters call it from threads of their own.

    `poll_hold`: seconds for which a poll without a task is held. `keep`: finished executions that are remembered.
    """

    def __init__(self, place: Place, *, poll_hold: float, keep: int) -> None:
        self.place = place
        self.poll_hold = poll_hold
        self.activities = Activities(place)
        self.machines = Machines()
        self.executions = Executions(keep=keep)
        self.tokens = Tokens()
        self.tags: dict[str, dict[str, str]] = {}
        self._runs: dict[str, tuple[Run, asyncio.Future[None]]] = {}
        self._loop = asyncio.get_running_loop()

    def start(self, target: Target, name: str, execution_input: str, *, trace_header: str | None) -> Execution:
        """Starts an execution; on AWS, names of Express executions are not unique.

        Raises `ApiError` ExecutionAlreadyExists unless the execution of that name still runs with the same input:
        then that one is returned.
        """
        machine = target.machine
        if machine.type == "EXPRESS":
            arn = f"{machine.arn.replace(':stateMachine:', ':express:')}:{name}:{uuid.uuid4()}"
        else:
            arn = self.place.execution(machine.name, name)
        if known := self.executions.get(arn):
            if known.running and known.input == execution_input:
                return known
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        execution = Execution(self.executions.next_number(), arn, name, target, execution_input)
        execution.trace_header = trace_header
        self.executions.add(execution)
        run = Run(execution, self)
        self._runs[arn] = run, self._loop.create_future()
        run.start()
        return execution

    def execution(self, arn: str) -> Execution:
        """Raises `ApiError` ExecutionDoesNotExist."""
        if (execution := self.executions.get(arn)) is None:
            raise execution_does_not_exist(arn)
        return execution

    def stop(self, execution: Execution, *, error: str | None = None, cause: str | None = None) -> None:
        """Aborts an execution that runs."""
        if known := self._runs.get(execution.arn):
            known[0].stop(error, cause)

    async def wait_for_end(self, execution: Execution) -> None:
        """Returns when the execution has ended."""
        if known := self._runs.get(execution.arn):
            await asyncio.shield(known[1])

    def close(self) -> None:
        """Aborts whatever still runs."""
        for run, _ in list(self._runs.values()):
            run.stop("States.Runtime", "The embedded Step Functions was stopped.")

    # What interpreters call, from threads of their own.

    def knows_activity(self, arn: str) -> bool:
        return arn in self.activities

    def queue_task(self, activity_arn: str, task: ActivityTask) -> None:
        self._post(self.activities.put, activity_arn, task)

    def discard_task(self, activity_arn: str, task: ActivityTask) -> None:
        self._post(self.activities.discard, activity_arn, task)

    def ended(self, execution: Execution) -> None:
        self._post(self._finish, execution)

    def _post(self, call: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed, and with it the engine: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)

    def _finish(self, execution: Execution) -> None:
        run, ended = self._runs.pop(execution.arn)
        run.cancel_timer()
        ended.set_result(None)
        for forgotten in self.executions.finish(execution):
            self.tokens.forget(forgotten.arn)
