"""Everything the engine knows of Step Functions in one region: activities, state machines, executions, tokens."""

import asyncio
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from workers.arns import Place
from workers.local import interpreter
from workers.local.activities import Activities
from workers.local.branch import Plan
from workers.local.calls import Services
from workers.local.clock import Clock
from workers.local.errors import ApiError, execution_does_not_exist, resource_not_found
from workers.local.executions import Execution, Executions, Origin
from workers.local.frames import Frame
from workers.local.machines import Machines, Target
from workers.local.map_runs import MapRun
from workers.local.run import Pace, Run
from workers.local.tasks import Attempt, Tokens


class Journal(Protocol):
    """What a region tells of its changes."""

    def changed(self, region: "Region", run: Run) -> None: ...

    def forgotten(self, region: "Region", execution: Execution) -> None: ...


class Region:
    """Step Functions in one region. Lives on the event loop.

    `poll_hold`: seconds for which a poll without a task is held. `keep`: finished executions that are remembered.
    `new_services`: makes what Task states call that is no activity, when the first of them does.
    `told` is called with each execution that starts or ends. `paces`: makes what paces the state transitions of the
    region with a name.
    """

    def __init__(
        self,
        place: Place,
        *,
        clock: Clock,
        new_services: Callable[["Region"], Services],
        told: Callable[[Execution], None],
        poll_hold: float,
        keep: int,
        paces: Callable[[str], Pace] | None = None,
    ) -> None:
        self.place = place
        self.clock = clock
        self.poll_hold = poll_hold
        self.pace = paces(place.region) if paces else None
        self.activities = Activities(place, clock)
        self.machines = Machines()
        self.executions = Executions(keep=keep)
        self.tokens = Tokens(self.executions.knows)
        self.tags: dict[str, dict[str, str]] = {}
        self.map_runs: dict[str, MapRun] = {}
        self._new_services = new_services
        self._told = told
        self.journal: Journal | None = None
        """Where changes are noted, if they are stored."""
        self._runs: dict[str, Run] = {}
        """Of executions that run, or that could be redriven."""

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
        versions = target.version_arn, target.alias_arn
        origin = Origin(machine.arn, machine.name, target.revision, *versions, target.test_case)
        execution = Execution(self.executions.next_number(), arn, name, origin, execution_input, self.clock)
        execution.express = machine.type == "EXPRESS"
        execution.trace_header = trace_header
        self.executions.add(execution)
        interpreter.start(self._new_run(execution), *self._plan(execution))
        self._told(execution)
        return execution

    def execution(self, arn: str) -> Execution:
        """Raises `ApiError` ExecutionDoesNotExist."""
        if (execution := self.executions.get(arn)) is None:
            raise execution_does_not_exist(arn)
        return execution

    def stop(self, execution: Execution, error: str | None = None, cause: str | None = None) -> None:
        """Aborts an execution that runs."""
        if execution.running:
            self._runs[execution.arn].stop(error, cause)

    def redrive(self, execution: Execution) -> None:
        """Lets an execution that did not succeed run again from where it ended."""
        run = self._runs[execution.arn]
        self.executions.reopen(execution)
        interpreter.redrive(run, *self._plan(execution))
        self._told(execution)

    async def wait_for_end(self, execution: Execution) -> None:
        """Returns when the execution has ended."""
        if execution.running and (run := self._runs.get(execution.arn)):
            await asyncio.shield(run.ended)

    def adopt(self, execution: Execution, frames: list[Frame]) -> None:
        """Takes over an execution that was stored, with its frames in the order of their numbers."""
        self.executions.add(execution)
        if execution.status == "SUCCEEDED":
            return
        run = self._new_run(execution)
        run.adopt(frames)
        if not execution.running:
            execution.on_end = None

    def adopt_map_run(self, map_run: MapRun) -> None:
        """Takes over a map run that was stored, after the executions."""
        self.map_runs[map_run.arn] = map_run
        map_run.execution.map_runs.append(map_run.arn)
        if run := self._runs.get(map_run.execution.arn):
            run.map_runs.append(map_run)

    def resume(self) -> None:
        """Lets all executions go on that were taken over."""
        for run in list(self._runs.values()):
            if run.execution.running:
                interpreter.resume(run, *self._plan(run.execution))
        ended = [execution for execution in self.executions.newest_first() if not execution.running]
        for execution in sorted(ended, key=lambda one: one.stopped or 0):
            self._finish(execution)

    def close(self) -> None:
        """Stops working on whatever still runs."""
        for run in self._runs.values():
            run.halt()

    def _new_run(self, execution: Execution) -> Run:
        run = self._runs[execution.arn] = Run(execution, self)
        return run

    def _plan(self, execution: Execution) -> tuple[Plan, float | None]:
        from workers.local.definitions import program as compiled  # loaded with the first machine

        program = compiled(execution.revision.definition)
        if execution.map_run is None:
            return program.plan, program.timeout
        return program.distributed[self.map_runs[execution.map_run].state].plan, None

    # What runs ask for.

    @cached_property
    def services(self) -> Services:
        return self._new_services(self)

    def knows_activity(self, arn: str) -> bool:
        return arn in self.activities

    def queue_task(self, activity_arn: str, task: Attempt) -> None:
        self.activities.put(activity_arn, task)

    def discard_task(self, activity_arn: str, task: Attempt) -> None:
        self.activities.discard(activity_arn, task)

    def changed(self, run: Run) -> None:
        if self.journal and not run.execution.express:
            self.journal.changed(self, run)
        else:
            run.unsaved.clear()
            run.dropped.clear()

    def ended(self, run: Run) -> None:
        execution = run.execution
        self._told(execution)
        if execution.status == "SUCCEEDED" or execution.express:
            self._runs.pop(execution.arn, None)
        self._finish(execution)

    def _finish(self, execution: Execution) -> None:
        for forgotten in self.executions.finish(execution):
            self._runs.pop(forgotten.arn, None)
            if self.journal:
                self.journal.forgotten(self, forgotten)
            for arn in forgotten.map_runs:
                self.map_runs.pop(arn, None)

    def add_map_run(self, map_run: MapRun) -> None:
        self.map_runs[map_run.arn] = map_run
        map_run.execution.map_runs.append(map_run.arn)
        self._runs[map_run.execution.arn].map_runs.append(map_run)

    def updated(self, map_run: MapRun) -> None:
        """The limits of a map run were changed."""
        self.changed(self._runs[map_run.execution.arn])

    def map_run(self, arn: str) -> MapRun:
        """Raises `ApiError` ResourceNotFound."""
        if (map_run := self.map_runs.get(arn)) is None:
            raise resource_not_found()
        return map_run

    def run_child(
        self, map_run: MapRun, number: int, child_input: str, known: Execution | None, *, express: bool
    ) -> Run:
        """Starts the execution of a batch of a Map, lets it go on, or redrives it."""
        if known and known.running:
            return self._runs[known.arn]
        if known and not express:
            self.redrive(known)
            return self._runs[known.arn]
        parent = map_run.execution
        name = str(uuid.uuid4())
        arn = self.place.execution(f"{parent.machine_name}/{map_run.label}", name)
        if express:
            arn = f"{arn.replace(':execution:', ':express:', 1)}:{uuid.uuid4()}"
        child = Execution(self.executions.next_number(), arn, name, parent.origin, child_input, self.clock)
        child.express, child.map_run, child.items = express, map_run.arn, map_run.sizes[number]
        child.batch = number
        map_run.children[number] = child
        parent.children.append(child)
        self.executions.add(child)
        run = self._new_run(child)
        interpreter.start(run, *self._plan(child))
        self._told(child)
        return run
