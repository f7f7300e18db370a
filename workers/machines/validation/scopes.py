"""What the states inside a Map or a Parallel have around them."""

from typing import Any

from workers.machines.validation.failures import matched
from workers.machines.validation.maps import config_of, is_distributed
from workers.machines.validation.place import At, objects


def assigned_in(branch: dict[str, Any]) -> frozenset[str]:
    """The variables that the states of `branch` assign, without those inside of them."""
    states = branch.get("States")
    found: set[str] = set()
    for state in states.values() if isinstance(states, dict) else ():
        if isinstance(state, dict):
            holders = [state, *(one for key in ("Choices", "Catch") for _, one in objects(state.get(key)))]
            for assign in (holder.get("Assign") for holder in holders):
                found |= {key.removesuffix(".$") for key in assign} if isinstance(assign, dict) else set()
    return frozenset(found)


def inside(state: dict[str, Any], at: At) -> At:
    """The place of the branches or the processor of `state`, which stands at `at`.

    They have the machine's query language, not the state's. Executions of a distributed Map see no variables from
    outside (developer guide, "Variables").
    """
    distributed = is_distributed(state)
    return at.but(
        jsonata=at.machine_jsonata,
        express=config_of(state).get("ExecutionType") == "EXPRESS" if distributed else at.express,
        matched=at.matched | matched(state),
        variables=frozenset() if distributed else at.variables | at.assigned,
        assigned=frozenset(),
    )
