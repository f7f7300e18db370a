"""Task states that are played instead of run: a result, an error, or one after the other."""

import inspect
from collections.abc import Mapping
from typing import Any

from workers.arns import Place
from workers.errors import UsageError
from workers.machines.definition import Definition
from workers.registry import Registry

_TOKEN = "mock-task-token"  # noqa: S105 - it opens nothing
_NAME = "workers-mock-{}"


class in_turn:  # noqa: N801 - it reads as a word: {"Charge": in_turn(ActivityError("Busy"), {"paid": 7})}
    """Outcomes of a mocked state: the first for its first attempt, and so on; the last for all that follow."""

    def __init__(self, first: Any, *more: Any) -> None:
        self._left = [first, *more]

    def take(self) -> Any:
        """The next outcome."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def mocked(
    definition: Definition, registry: Registry, mocks: Mapping[str, Any], *, place: Place
) -> tuple[dict[str, Any], Registry]:
    """`definition` in ASL with the Task states that `mocks` names played by handlers, and a registry with those.

    An outcome is a JSON value, an exception, or a function of the state's input that returns or raises one; `in_turn`
    gives several. What stands around the task (its parameters, selectors, `Retry`, `Catch`) works as it is written.
    Raises `UsageError` for a state that there is not, or that is no Task.
    """
    asl = definition.to_asl(place=place)
    played = Registry()
    played.include(registry)
    tasks = _tasks(asl)
    for number, (state, outcome) in enumerate(mocks.items()):
        if state not in tasks:
            raise UsageError(f"there is no Task state {state!r} to mock; there are {', '.join(tasks) or 'none'}")
        name = _NAME.format(number)
        played.add(name, _player(outcome))
        _play(tasks[state], place.activity(name))
    return asl, played


def _tasks(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The Task states of a machine by name, also those inside of other states."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            found[name] = state
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for machine_inside in (*inner, *state.get("Branches", ())):
            found |= _tasks(machine_inside)
    return found


def _play(state: dict[str, Any], arn: str) -> None:
    state["Resource"] = arn
    state.pop("Credentials", None)
    for key in ("Parameters", "Arguments"):
        if key in state:
            state[key] = _without_token(state[key])


def _without_token(value: Any) -> Any:
    """A payload in which a text stands for the task token, which an activity's payload has not."""
    if isinstance(value, list):
        return [_without_token(one) for one in value]
    if isinstance(value, str):
        return value.replace("$states.context.Task.Token", f"'{_TOKEN}'")
    if not isinstance(value, dict):
        return value
    return {
        key.removesuffix(".$") if one == "$$.Task.Token" else key: _TOKEN
        if one == "$$.Task.Token"
        else _without_token(one)
        for key, one in value.items()
    }


def _player(outcome: Any) -> Any:
    async def play(given: Any, /) -> Any:
        found = outcome.take() if isinstance(outcome, in_turn) else outcome
        if callable(found) and not isinstance(found, type):
            found = found(given)
        if inspect.isawaitable(found):
            found = await found
        if isinstance(found, BaseException):
            raise found
        return found

    return play
