"""Fail: ends the line of states with an error."""

from workers.local.branch import Branch, State, Step
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Evaluate, compact
from workers.local.values.templates import compile_reference
from workers.machines.model.states import Fail


class FailState(State):
    """A Fail state."""

    def __init__(self, name: str, model: Fail, *, jsonata: bool) -> None:
        super().__init__(name, "Fail")
        self._error = _compiled(model.error, model.error_path, "Error", jsonata=jsonata)
        self._cause = _compiled(model.cause, model.cause_path, "Cause", jsonata=jsonata)

    async def run(self, branch: Branch) -> Step:
        scope = branch.scope()
        error, cause = (part(scope) if part else None for part in (self._error, self._cause))
        raise StateError(error, cause)


def _compiled(text: str | None, path: str | None, field: str, *, jsonata: bool) -> Evaluate | None:
    if jsonata:
        return compile_jsonata(text, field, expected="string") if text is not None else None
    if path is None:
        return (lambda _: text) if text is not None else None
    reference, where = compile_reference(path, f"{field}Path"), f"{field}Path"

    def evaluate(scope: object) -> str:
        value = reference(scope)  # type: ignore[arg-type]
        if not isinstance(value, str):
            found = f"references a value that is not a string: {path} == {compact(value)}"
            raise EvaluationError(RUNTIME, f"The {where} parameter {found}")
        return value

    return evaluate
