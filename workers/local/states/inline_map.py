"""Map whose iterations run inside the execution."""

from typing import Any

from workers.local.branch import Branch
from workers.local.documents import Document, array, same_or_new
from workers.local.frames import Frame
from workers.local.run import Run
from workers.local.states.crew import Crew, abort_lines, abort_state
from workers.local.states.items import Item
from workers.local.states.mapping import MapState
from workers.local.values.errors import EvaluationError

CONCURRENCY = 40
"""Iterations that run at once, at most (Step Functions developer guide, Map state)."""


class InlineMapState(MapState):
    """A Map state. Its frame has the items, and a child for each iteration that has begun."""

    async def attempt(self, branch: Branch) -> Document:
        frame = branch.frame
        scope = self.flow.scope(branch.scope())
        if frame.progress is None:
            limit = int(self.max_concurrency(scope) or CONCURRENCY)
            items = self.items(scope)
            branch.record("MapStateStarted", "mapStateStartedEventDetails", {"length": len(items)})
            for tolerated in (self.tolerated_count, self.tolerated_percentage):
                tolerated(scope)
            frame.progress = {"items": items, "limit": min(limit, CONCURRENCY)}
            branch.save()
        items, limit = frame.progress["items"], frame.progress["limit"]
        outputs = await Crew(branch, _Iterations(self, scope, items), len(items), limit).outputs()
        result = array(outputs).checked(self.name)
        branch.note("MapStateSucceeded")
        return result

    def abort(self, run: Run, frame: Frame) -> None:
        abort_lines(run, frame, self.abort_line)
        super().abort(run, frame)

    def abort_line(self, run: Run, frame: Frame) -> None:
        """Writes that an iteration was ended from outside."""
        abort_state(self.plan, run, frame)
        details = _iteration(self, frame.index)
        run.record("MapIterationAborted", "mapIterationAbortedEventDetails", details, after=frame.last)


class _Iterations:
    """The iterations of one attempt."""

    def __init__(self, state: InlineMapState, scope: Any, items: list[Any]) -> None:
        self._state = state
        self._scope = scope
        self._items = items

    def begin(self, branch: Branch, index: int, after: int) -> Branch:
        state, run = self._state, branch.run
        frame = run.new_frame(branch.frame, index, state.plan.start, Document(None), after)
        child = Branch(run, frame, state.plan, branch.variables)
        child.record("MapIterationStarted", "mapIterationStartedEventDetails", self._details(index))
        return child

    def prepare(self, branch: Branch, child: Branch) -> None:
        state, frame = self._state, child.frame
        try:
            frame.item, value = state.item(self._scope, frame.index, Item(self._items[frame.index]))
        except EvaluationError as error:
            raise child.explained(error, of=branch.frame) from None
        frame.input = same_or_new(value, branch.frame.input).checked(state.name)
        branch.run.save(frame)

    def resume(self, branch: Branch, index: int) -> Branch:
        return Branch(branch.run, branch.frame.children[index], self._state.plan, branch.variables)

    def succeeded(self, branch: Branch, child: Branch) -> int:
        del branch
        details = self._details(child.frame.index)
        return child.note("MapIterationSucceeded", "mapIterationSucceededEventDetails", details)

    def failed(self, child: Branch) -> None:
        child.note("MapIterationFailed", "mapIterationFailedEventDetails", self._details(child.frame.index))

    def abort_line(self, run: Run, frame: Frame) -> None:
        self._state.abort_line(run, frame)

    def _details(self, index: int) -> dict[str, Any]:
        return _iteration(self._state, index)


def _iteration(state: InlineMapState, index: int) -> dict[str, Any]:
    return {"name": state.name, "index": index}
