"""Machines that begin inside of a Parallel or Map state: each of its branches or items goes on where it stood.

Such a machine knows only where it may begin. What has been done, and with what each unit goes on, stands in the input
of the execution, under `RESUME`, as `workers.manager.standing` reads it from a history:

    {"values": {"v0": …}, "input": "v0", "plan": {"units": {KEY: {"to": STATE, "value": "v1", "inside": PLAN}}}}

A unit is a branch or an item; its key is its number. `to` is empty for one that is done, and `value` is its output
then. What has no unit has not begun. Values stand by themselves, so that large ones can be offloaded.
"""

from workers.manager.errors import InvalidError
from workers.manager.translation.additions import RESUMED, State, distributed, free_name, nested, walk
from workers.manager.translation.beginning import begin_at

RESUME = "_RESUME"
"""The key of an execution's input that says where its units stand."""
_VALUES = "workersResumeValues"
_PLAN = "workersResumePlan"
"""Variables; that of each depth has its number."""
_ITEM = "$string($states.context.Map.Item.Index)"

Way = list[tuple[str, str | None]]
"""The Map and Parallel states around a state, outermost first, each with the key of the branch; None for a Map."""


def way_to(machine: State, state: str) -> Way | None:
    """The way to a state, empty for one at the top; None where there is no such state."""
    if state in machine["States"]:
        return []
    for name, around in machine["States"].items():
        for number, inner in enumerate(nested(around)):
            if (rest := way_to(inner, state)) is not None:
                return [(name, str(number) if around["Type"] == "Parallel" else None), *rest]
    return None


def begin(asl: State, state: str) -> State:
    """A copy of a machine that begins at a state, wherever it is. Raises `InvalidError`."""
    way = way_to(asl, state)
    if not way:
        return begin_at(asl, state)
    machine = begin_at(asl, way[0][0])
    taken = {name for name, _ in walk(machine["States"])}
    start = free_name(f"{RESUMED}{way[0][0]}", taken)
    level: State = machine
    for depth, (name, _) in enumerate(way, 1):
        container = level["States"][name]
        if distributed(container):
            raise InvalidError(f"StartAt: {state} is in the distributed Map {name}: resume at that state itself")
        for number, inner in enumerate(nested(container)):
            key = f"'{number}'" if container["Type"] == "Parallel" else _ITEM
            _enter(inner, f"$lookup(${_PLAN}{depth}.units, {key})", depth, name, taken)
        level = next(inner for inner in nested(container) if way_to(inner, state) is not None)
    at = f"$states.input.{RESUME}"
    machine["States"][start] = {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Assign": {_VALUES: f"{{% {at}.values %}}", f"{_PLAN}1": f"{{% {at}.plan %}}"},
        "Output": f"{{% $lookup({at}.values, {at}.input) %}}",
        "Next": way[0][0],
    }
    return machine | {"StartAt": start}


def _enter(inner: State, unit: str, depth: int, around: str, taken: set[str]) -> None:
    """Lets a branch begin with what its unit says, at the state that it says."""
    load, choose, done = (free_name(f"{RESUMED}{around} {part}", taken) for part in ("input", "where", "done"))
    states = inner["States"]
    choices = [{"Condition": f"{{% {unit}.to = {_text(name)} %}}", "Next": name} for name in states]
    states |= {
        load: {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Assign": {f"{_PLAN}{depth + 1}": f"{{% $exists({unit}.inside) ? {unit}.inside : {{}} %}}"},
            "Output": f"{{% $exists({unit}.value) ? $lookup(${_VALUES}, {unit}.value) : $states.input %}}",
            "Next": choose,
        },
        choose: {
            "Type": "Choice",
            "QueryLanguage": "JSONata",
            "Choices": [{"Condition": f"{{% {unit}.to = '' %}}", "Next": done}, *choices],
            "Default": inner["StartAt"],
        },
        done: {"Type": "Succeed", "QueryLanguage": "JSONata"},
    }
    inner["StartAt"] = load


def _text(value: str) -> str:
    """A text in JSONata."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
