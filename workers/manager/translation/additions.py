"""What is added to every machine: the default retrier, and the name of the execution in the items of a Map."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from workers.arns import NAME_LIMIT
from workers.machines.language.jsonata import body, is_expression

COMMAND_TERMINATED = "sfncli.CommandTerminated"
EXECUTION_NAME = "_EXECUTION_NAME"
"""The key of a task's input in which commands look for the name of their execution."""
_RETRIER = {"ErrorEquals": [COMMAND_TERMINATED], "IntervalSeconds": 10, "BackoffRate": 1.0, "MaxAttempts": 10}
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")
_ADDED = f"{EXECUTION_NAME} "
RESUMED = "_RESUME "
"""How the names of states begin by which an execution goes on inside of a state."""

State = dict[str, Any]
States = dict[str, State]


def is_added(state: str) -> bool:
    """Whether it is the name of a state that no definition has, but a translation put in."""
    return state.startswith((_ADDED, RESUMED))


def walk(states: States) -> Iterator[tuple[str, State]]:
    """All states by their names, each before those nested in it."""
    for name, state in states.items():
        yield name, state
        for inner in nested(state):
            yield from walk(inner["States"])


def nested(state: State) -> list[dict[str, Any]]:
    """The branches of a Parallel, the processor of a Map."""
    processor = state.get("ItemProcessor") or state.get("Iterator")
    return [*state.get("Branches", ()), *([processor] if processor else ())]


def add_retriers(machine: State) -> None:
    """Lets every task on an activity begin again whose command was terminated, unless it says what then."""
    for _, state in walk(machine["States"]):
        retriers = state.get("Retry", [])
        if _is_activity(state) and not any(COMMAND_TERMINATED in retrier["ErrorEquals"] for retrier in retriers):
            state["Retry"] = [_RETRIER | {"ErrorEquals": [COMMAND_TERMINATED]}, *retriers]


def _is_activity(state: State) -> bool:
    return state["Type"] == "Task" and bool(_ACTIVITY.fullmatch(state["Resource"]))


def name_items(machine: State) -> None:
    """Gives the items of every Map the name of the execution, where an item is an object.

    An `ItemSelector` (or `Parameters`) gets one more key, and so does what an expression makes of it. Where there is
    none, an item is what tasks are given: then
    two states before them add the key to objects and leave other items alone. They are added only where a task takes
    its input as it comes, for they are transitions that AWS counts.
    """
    jsonata = machine.get("QueryLanguage") == "JSONata"
    taken = {name for name, _ in walk(machine["States"])}
    for name, state in list(walk(machine["States"])):
        if state["Type"] == "Map":
            _name_items(name, state, taken, jsonata=jsonata)


def _name_items(name: str, state: State, taken: set[str], *, jsonata: bool) -> None:
    speaks_jsonata = jsonata or state.get("QueryLanguage") == "JSONata"
    key = "ItemSelector" if "ItemSelector" in state else "Parameters" if "Parameters" in state else None
    if key is None and speaks_jsonata and _takes_item(state):
        state["ItemSelector"] = _MERGED
    elif key is None and not jsonata and not distributed(state) and _takes_item(state):
        _add_states(name, state, taken)
    elif key and is_expression(selector := state[key]):
        state[key] = f"{{% {_MERGE}({body(selector)}) %}}"
    elif key and isinstance(selector := state[key], dict) and not {EXECUTION_NAME, f"{EXECUTION_NAME}.$"} & {*selector}:
        path = {EXECUTION_NAME: _IN_JSONATA} if speaks_jsonata else {f"{EXECUTION_NAME}.$": "$$.Execution.Name"}
        state[key] = selector | path


_IN_JSONATA = "{% $states.context.Execution.Name %}"
_ITEM = "$states.context.Map.Item.Value"
_MERGED = (
    f"{{% $type({_ITEM}) = 'object' ? $merge([{_ITEM}, {{'{EXECUTION_NAME}': $states.context.Execution.Name}}]) : "
    f"{_ITEM} %}}"
)

_MERGE = (
    f"function($selected) {{ $type($selected) = 'object' ? "
    f"$merge([{{'{EXECUTION_NAME}': $states.context.Execution.Name}}, $selected]) : $selected }}"
)


def distributed(state: State) -> bool:
    """Whether it is a Map of which each iteration is an execution of its own, with another name."""
    return any(one.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED" for one in nested(state))


def _takes_item(state: State) -> bool:
    """Whether a task on an activity in it may be given an item as it is."""
    (processor,) = nested(state)
    tasks = (one for _, one in walk(processor["States"]) if _is_activity(one))
    return any("Parameters" not in one and "Arguments" not in one for one in tasks)


def _add_states(name: str, state: State, taken: set[str]) -> None:
    (processor,) = nested(state)
    look, put = free_name(f"{_ADDED}? {name}", taken), free_name(f"{_ADDED}in {name}", taken)
    is_object = {"Condition": "{% $type($states.input) = 'object' %}", "Next": put}
    start = processor["StartAt"]
    processor["States"] = {
        look: {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": [is_object], "Default": start},
        put: {
            "Type": "Pass",
            "InputPath": "$$.Execution.Name",
            "ResultPath": f"$.{EXECUTION_NAME}",
            "Next": start,
        },
        **processor["States"],
    }
    processor["StartAt"] = look


def free_name(name: str, taken: set[str]) -> str:
    """A name that no other state has."""

    def numbered() -> Iterator[str]:
        yield name[:NAME_LIMIT]
        for number in range(2, len(taken) + 3):
            yield f"{name[: NAME_LIMIT - 6]} {number}"

    found = next(one for one in numbered() if one not in taken)
    taken.add(found)
    return found


Addition = Callable[[State], None]
ADDITIONS: tuple[Addition, ...] = (add_retriers, name_items)
