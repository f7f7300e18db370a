"""What flows through a machine: where the results of activities stand in the data of each state.

Followed are InputPath, Parameters, ResultSelector, ResultPath, OutputPath and Output; what variables carry and what
functions compute is not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.doctor.paths import ANY, Steps, mentions, paths_in, steps_of
from workers.doctor.subjects import inner_branches
from workers.machines.language.jsonata import is_expression
from workers.machines.model.machine import AnyState, Branch, Map, Parallel, StateMachine
from workers.machines.model.states import Choice, Pass, Succeed, Task


@dataclass(frozen=True, slots=True)
class Piece:
    """A result that stands somewhere in the data."""

    activity: str
    """ARN of the activity whose result it is, or a part of it."""
    size: int
    """Bytes that it can have."""
    within: Steps = ()
    """Which part of the result it is."""


Data = Mapping[Steps, Piece]
Results = Callable[[Task], Piece | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """A state, and the data around it."""

    name: str
    state: AnyState
    jsonata: bool
    given: Data
    """Its input."""
    result: Data
    """What it made, before ResultSelector."""
    output: Data


def total(data: Data) -> int:
    """Bytes that all pieces can have together."""
    return sum(piece.size for piece in data.values())


def follow(machine: StateMachine, results: Results) -> list[Moment]:
    """Each state of the machine, however deep, with the most that can flow into it and out of it.

    `results`: what a task's result is; None where that is of no interest.
    """
    flow = _Flow(machine.query_language, results)
    flow.branch(machine, {})
    return list(flow.moments.values())


class _Flow:
    def __init__(self, language: str | None, results: Results) -> None:
        self._language = language
        self._results = results
        self.moments: dict[str, Moment] = {}

    def branch(self, branch: Branch, given: Data) -> Data:
        """What comes out at the ends of `branch`, all of them together."""
        inputs: dict[str, Data] = {branch.start_at: given}
        outputs: list[Data] = []
        waiting = [branch.start_at]
        for _ in range(4 * len(branch.states) ** 2 + 4):  # each state a few times: what loops add comes to an end
            if not waiting:
                break
            name = waiting.pop()
            state = branch.states[name]
            moment = self._pass(name, state, inputs[name])
            outputs += [moment.output] if _ends(state) else []
            for target, data in _targets(state, moment):
                joined = join([inputs.get(target, {}), data])
                if target not in inputs or joined != inputs[target]:
                    inputs[target] = joined
                    waiting.append(target)
        return join(outputs)

    def _pass(self, name: str, state: AnyState, given: Data) -> Moment:
        jsonata = state.speaks_jsonata(self._language)
        result = self._result(state, given, jsonata=jsonata)
        output = _jsonata_output(state, given, result) if jsonata else _jsonpath_output(state, given, result)
        moment = Moment(name, state, jsonata, given, result, output)
        self.moments[name] = moment
        return moment

    def _result(self, state: AnyState, given: Data, *, jsonata: bool) -> Data:
        if isinstance(state, Task):
            piece = self._results(state)
            return {(): piece} if piece else {}
        entered = given if jsonata else _entered(state, given)
        if isinstance(state, Pass):
            return {} if state.has("result") else entered
        if isinstance(state, Parallel):
            outputs = [self.branch(inner, entered) for inner in inner_branches(state)]
            return {(str(index), *at): piece for index, data in enumerate(outputs) for at, piece in data.items()}
        if isinstance(state, Map):
            each = self.branch(state.processor, self._item(state, given, jsonata=jsonata))
            return {(ANY, *at): piece for at, piece in each.items()}
        return entered

    @staticmethod
    def _item(state: Map, given: Data, *, jsonata: bool) -> Data:
        selector = state.item_selector or state.parameters
        if selector is not None:
            return template(selector, given, {}, jsonata=jsonata)
        steps = steps_of(state.items_path or "$") or ()
        return {} if jsonata else select(given, (*steps, ANY))


def join(several: Iterable[Data]) -> Data:
    """What can flow in from several sides: at each place, the largest."""
    found: dict[Steps, Piece] = {}
    for data in several:
        for at, piece in data.items():
            if at not in found or found[at].size < piece.size:
                found[at] = piece
    return found


def select(data: Data, steps: Steps) -> Data:
    """The part of `data` that `steps` lead to."""
    found: dict[Steps, Piece] = {}
    for at, piece in data.items():
        if len(at) >= len(steps):
            if _same(at[: len(steps)], steps):
                found[at[len(steps) :]] = piece
        elif _same(at, steps[: len(at)]):
            found[()] = Piece(piece.activity, piece.size, (*piece.within, *steps[len(at) :]))
    return found


def template(value: Any, given: Data, result: Data, *, jsonata: bool) -> Data:
    """The data that a template makes: of its input, and in JSONata of the state's result."""
    found: dict[Steps, Piece] = {}
    if isinstance(value, dict):
        for key, member in value.items():
            if not jsonata and key.endswith(".$") and isinstance(member, str):
                key, made = key.removesuffix(".$"), _computed(member, given)  # noqa: PLW2901 - the key that is made
            else:
                made = template(member, given, result, jsonata=jsonata)
            found |= {(key, *at): piece for at, piece in made.items()}
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            made = template(entry, given, result, jsonata=jsonata)
            found |= {(str(index), *at): piece for at, piece in made.items()}
    elif jsonata and is_expression(value):
        for base, steps in mentions(value):
            found |= select(result if base == "result" else given, steps)
    return found


def _computed(text: str, given: Data) -> Data:
    steps = steps_of(text)
    if steps is not None:
        return select(given, steps)
    return join(select(given, inner) for inner in paths_in(text)) if text.startswith("States.") else {}


def _entered(state: AnyState, given: Data) -> Data:
    """The effective input: what InputPath and Parameters make of the input."""
    path = getattr(state, "input_path", "$")
    given = {} if path is None else select(given, steps_of(path) or ())
    parameters = getattr(state, "parameters", None)
    return given if parameters is None or isinstance(state, Map) else template(parameters, given, {}, jsonata=False)


def _jsonpath_output(state: AnyState, given: Data, result: Data) -> Data:
    selector = getattr(state, "result_selector", None)
    if selector is not None:
        result = template(selector, result, {}, jsonata=False)
    output = result
    if state.has("result_path"):
        path = getattr(state, "result_path", "$")
        output = dict(given) if path is None else _placed(given, steps_of(path) or (), result)
    path = getattr(state, "output_path", "$")
    return {} if path is None else select(output, steps_of(path) or ())


def _placed(given: Data, steps: Steps, result: Data) -> Data:
    if not steps:
        return result
    kept = {at: piece for at, piece in given.items() if at[: len(steps)] != steps}
    return {**kept, **{(*steps, *at): piece for at, piece in result.items()}}


def _jsonata_output(state: AnyState, given: Data, result: Data) -> Data:
    output = getattr(state, "output", None)
    return result if output is None else template(output, given, result, jsonata=True)


def _targets(state: AnyState, moment: Moment) -> list[tuple[str, Data]]:
    if isinstance(state, Choice):
        targets = [rule.next for rule in state.choices] + ([state.default] if state.default else [])
        return [(target, moment.output) for target in targets]
    found = [(target, moment.output) for target in [getattr(state, "next", None)] if target]
    for catcher in getattr(state, "catch", ()):
        whole = catcher.result_path == "$" and not moment.jsonata
        found.append((catcher.next, {} if whole or moment.jsonata else moment.given))
    return found


def _ends(state: AnyState) -> bool:
    return isinstance(state, Succeed) or bool(getattr(state, "end", None))


def _same(one: Steps, other: Steps) -> bool:
    return all(a == b or ANY in {a, b} for a, b in zip(one, other, strict=True))
