"""Map whose iterations are executions of their own."""

import asyncio

from workers.local.branch import Branch, Plan
from workers.local.documents import Document, array
from workers.local.executions import Execution
from workers.local.frames import Frame
from workers.local.map_runs import MapRun, new_map_run_arn
from workers.local.run import Run
from workers.local.states.batching import Batcher
from workers.local.states.item_reading import Reader
from workers.local.states.items import Item, items_of
from workers.local.states.mapping import MapState
from workers.local.states.result_writing import Writer, whole
from workers.local.states.tasking import failure
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.local.values.scope import Scope
from workers.machines.model.machine import Map

CONCURRENCY = 10_000
"""Child executions that run at once, at most (Step Functions developer guide, Distributed mode)."""
MOST_REDRIVES = 1_000
"""Of one map run (Step Functions developer guide, "Redriving Map Runs")."""
STATE_DATA = "STATE_DATA"
"""The source of items that are in the state's input (developer guide, "Context object")."""
EXCEEDED = "States.ExceedToleratedFailureThreshold"
EXCEEDED_CAUSE = "The specified tolerated failure threshold was exceeded"


class DistributedMapState(MapState):
    """A Map state in distributed mode. Its frame has the ARN of its map run and then the input of each execution."""

    def __init__(self, name: str, model: Map, plan: Plan, *, jsonata: bool) -> None:
        super().__init__(name, model, plan, jsonata=jsonata)
        config = model.processor.processor_config
        self.express = config is not None and config.execution_type == "EXPRESS"
        self._label = model.label
        self._reader = Reader(model.item_reader, jsonata=jsonata) if model.item_reader else None
        self._batcher = Batcher(model.item_batcher, jsonata=jsonata) if model.item_batcher else None
        self._writer = Writer(model.result_writer, jsonata=jsonata) if model.result_writer else None

    async def attempt(self, branch: Branch) -> Document:
        frame, run = branch.frame, branch.run
        items = self._start(branch) if frame.progress is None else None
        progress = frame.progress or {}
        map_run = run.host.map_run(progress["map run"])
        if map_run.status != "RUNNING":
            if map_run.redrives >= MOST_REDRIVES:
                raise EvaluationError(RUNTIME, f"The Map Run was redriven {MOST_REDRIVES} times, which is the most.")
            map_run.reopen(run.clock.now())
            told = {"mapRunArn": map_run.arn, "redriveCount": map_run.redrives}
            branch.record("MapRunRedriven", "mapRunRedrivenEventDetails", told)
        try:
            if "inputs" not in progress:
                progress["inputs"] = await self._find_inputs(branch, map_run, items)
                branch.save()
            await _Children(self, branch, map_run, progress["inputs"]).run()
            result = await self._result(branch, map_run)
        except StateError as error:
            map_run.end("FAILED", run.clock.now())
            located = error.located(self.name, frame.entered) if isinstance(error, EvaluationError) else error
            branch.record("MapRunFailed", "mapRunFailedEventDetails", failure(error.error, located.cause))
            raise
        except asyncio.CancelledError:
            if not run.halted:
                map_run.end("ABORTED", run.clock.now())
                run.host.changed(run)
            raise
        map_run.end("SUCCEEDED", run.clock.now())
        branch.record("MapRunSucceeded")
        branch.note("MapStateSucceeded")
        return result

    def abort(self, run: Run, frame: Frame) -> None:
        if "map run" in (frame.progress or {}):
            frame.last = run.record("MapRunAborted", after=frame.last) or frame.last
        super().abort(run, frame)

    def _start(self, branch: Branch) -> list[Item] | None:
        """Begins a map run. Gives the items where they are in the state's input."""
        frame, run = branch.frame, branch.run
        scope = self.flow.scope(branch.scope())
        concurrency = self.max_concurrency(scope)
        items = None if self._reader else items_of(self.items(scope), STATE_DATA)
        length = 0 if items is None else len(items)
        branch.record("MapStateStarted", "mapStateStartedEventDetails", {"length": length})
        count, percentage = self.tolerated_count(scope), self.tolerated_percentage(scope)
        arn = new_map_run_arn(run.execution, self._label)
        map_run = MapRun(arn, run.execution, self.name, run.clock.now())
        map_run.max_concurrency = int(concurrency or 0)
        map_run.tolerated_count = None if count is None else int(count)
        map_run.tolerated_percentage = None if percentage is None else float(percentage)
        run.host.add_map_run(map_run)
        branch.record("MapRunStarted", "mapRunStartedEventDetails", {"mapRunArn": arn})
        frame.progress = {"map run": arn}
        branch.save()
        return items

    async def _find_inputs(self, branch: Branch, map_run: MapRun, items: list[Item] | None) -> list[str]:
        """The input of each child execution; asks the reader, or the state's input again, where `items` is None."""
        scope = self.flow.scope(branch.scope())
        if items is None:
            reader = self._reader
            items = await reader.items(branch, scope) if reader else items_of(self.items(scope), STATE_DATA)
        map_run.sizes, inputs = self._inputs(scope, items)
        return inputs

    def _inputs(self, scope: Scope, items: list[Item]) -> tuple[list[int], list[str]]:
        """How many items each child execution has, and its input."""
        values = [self.item(scope, index, item)[1] for index, item in enumerate(items)]
        batches = self._batcher.batches(scope, values) if self._batcher else [(1, value) for value in values]
        inputs = [Document(value).checked(self.name).text for _, value in batches]
        return [size for size, _ in batches], inputs

    async def _result(self, branch: Branch, map_run: MapRun) -> Document:
        children = [map_run.children[number] for number in range(len(map_run.sizes))]
        if self._writer:
            return (await self._writer.written(branch, map_run, children)).checked(self.name)
        return array(_output(child) for child in children).checked(self.name)


class _Children:
    """The child executions of one map run at work."""

    def __init__(self, state: DistributedMapState, branch: Branch, map_run: MapRun, inputs: list[str]) -> None:
        self._state = state
        self._branch = branch
        self._map_run = map_run
        self._inputs = inputs
        self._changed = asyncio.Event()
        self._working: set[int] = set()

    async def run(self) -> None:
        """Returns when all have ended. Raises `StateError` when more have failed than is tolerated."""
        waiting = [number for number in range(len(self._inputs)) if not self._is_done(number)]
        waiting.reverse()
        self._map_run.changed = self._changed.set
        try:
            while waiting or self._working:
                limit = min(self._map_run.max_concurrency or CONCURRENCY, CONCURRENCY)
                while waiting and len(self._working) < limit:
                    self._work(waiting.pop())
                await self._changed.wait()
                self._changed.clear()
                self._check()
            self._check()
        finally:
            if not self._branch.run.halted:
                self._stop()

    def _check(self) -> None:
        if self._map_run.exceeded():
            raise StateError(EXCEEDED, EXCEEDED_CAUSE)

    def _is_done(self, number: int) -> bool:
        child = self._map_run.children.get(number)
        return child is not None and not child.running and number not in self._map_run.awaiting

    def _work(self, number: int) -> None:
        host, state = self._branch.run.host, self._state
        child = self._map_run.children.get(number)
        if number in self._map_run.awaiting:
            self._map_run.awaiting.remove(number)
            host.changed(self._branch.run)
        run: Run = host.run_child(self._map_run, number, self._inputs[number], child, express=state.express)
        if run.ended.done():
            self._changed.set()
            return
        self._working.add(number)
        run.ended.add_done_callback(lambda _: self._ended(number))

    def _ended(self, number: int) -> None:
        self._working.discard(number)
        self._changed.set()

    def _stop(self) -> None:
        for number in self._working:
            self._branch.run.host.stop(self._map_run.children[number])


def _output(child: Execution) -> Document:
    if child.output is not None:
        return Document(child.output_value(), child.output)
    return Document(whole(child))  # as if nothing was to be made of it (developer guide, "ResultWriter")
