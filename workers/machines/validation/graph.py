"""The ways through a state machine: every target exists, every state is reached, and there is an end."""

from collections.abc import Iterator
from typing import Any

from workers.machines.validation.expressions import suggestion
from workers.machines.validation.place import At, objects

_TERMINAL = {"Succeed", "Fail"}


def check_graph(branch: dict[str, Any], at: At) -> None:
    """Judges the ways among the states of `branch`, and not those inside of them."""
    states = {name: state if isinstance(state, dict) else {} for name, state in branch["States"].items()}
    start = branch.get("StartAt")
    exist = [_check_target(name, states, at.into("States", state, *keys)) for state, keys, name in _ways(states)]
    if not isinstance(start, str) or not _check_target(start, states, at.into("StartAt")) or not all(exist):
        return  # a way that leads nowhere would make much else look wrong
    reached = _reached(start, states)
    for name in states:
        if name not in reached:
            at.error("unreachable", "no way leads to this state: name it in a `Next`, or remove it", "States", name)
    if not all(_goes_on(states[name]) for name in reached):
        return
    ends = {name for name in reached if _ends(states[name])}
    if not ends:
        at.error("no-end", "no state that can be reached ends it: one must say `End`, or be a Succeed or a Fail")
        return
    trapped = reached - _leading_to(ends, states)
    if endless := [name for name in states if name in trapped]:
        circle = ", ".join(endless)
        at.warning("endless", f"no way leads from here to an end: {circle} go round for ever", "States", endless[0])


def targets(state: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a state can go: the keys of each way, and the name it leads to."""
    for keys, holder in (((), state), *_holders(state, "Choices"), *_holders(state, "Catch")):
        if isinstance(name := holder.get("Next"), str):
            yield (*keys, "Next"), name
    if isinstance(name := state.get("Default"), str):
        yield ("Default",), name


def _holders(state: dict[str, Any], key: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    for index, one in objects(state.get(key)):
        yield (key, index), one


def _ways(states: dict[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    for name, state in states.items():
        for keys, target in targets(state):
            yield name, keys, target


def _check_target(name: str, states: dict[str, Any], at: At) -> bool:
    if name in states:
        return True
    at.error("missing-target", f"there is no state {name!r} here{suggestion(name, list(states))}")
    return False


def _reached(start: str, states: dict[str, Any]) -> set[str]:
    reached, todo = {start}, [start]
    while todo:
        for _, name in targets(states[todo.pop()]):
            if name not in reached:
                reached.add(name)
                todo.append(name)
    return reached


def _ends(state: dict[str, Any]) -> bool:
    return state.get("End") is True or str(state.get("Type")) in _TERMINAL


def _goes_on(state: dict[str, Any]) -> bool:
    """Whether the state ends or says where it goes on: one that does not has a problem of its own."""
    return _ends(state) or any(True for _ in targets(state))


def _leading_to(ends: set[str], states: dict[str, Any]) -> set[str]:
    before: dict[str, list[str]] = {}
    for name, _, target in _ways(states):
        before.setdefault(target, []).append(name)
    leading, todo = set(ends), list(ends)
    while todo:
        for name in before.get(todo.pop(), ()):
            if name not in leading:
                leading.add(name)
                todo.append(name)
    return leading
