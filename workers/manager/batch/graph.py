"""What a definition for AWS Batch says: its jobs, and which of them wait for which.

Every state is a job, a `Task`. `Next` names the one that waits for it; `DependsOn`, which only these definitions have,
names what a job waits for where that is more than one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from workers.arns import NAME_LIMIT
from workers.manager.errors import InvalidError

_MOST_ATTEMPTS = 10
"""SubmitJob, AWS Batch API reference: RetryStrategy."""
_FIELDS = {"Type", "Resource", "Next", "End", "Retry", "Comment", "DependsOn", "TimeoutSeconds"}


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as a definition has it."""

    name: str
    resource: str
    """A state resource, or a job definition where there is no namespace."""
    after: tuple[str, ...]
    """The states that it waits for."""
    attempts: int | None
    """How often Batch tries it; None leaves that to the job definition."""
    timeout: int | None
    """Seconds in which it must have ended."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The jobs of a definition."""

    start_at: str
    states: Mapping[str, JobState]

    @property
    def waves(self) -> list[list[str]]:
        """Which jobs may run at the same time, one wave after the other."""
        return waves({name: state.after for name, state in self.states.items()})

    def begun_at(self, start_at: str) -> "Graph":
        """The part that is reached from a state; what is before it counts as done. Raises `InvalidError`."""
        if start_at not in self.states:
            names = ", ".join(self.states)
            raise InvalidError(f"StartAt: Invalid StartAt state {start_at}: the definition has {names}")
        reached = {start_at}
        while more := {name for name, state in self.states.items() if reached & {*state.after}} - reached:
            reached |= more
        states = {
            name: JobState(
                name,
                state.resource,
                tuple(one for one in state.after if one in reached),
                state.attempts,
                state.timeout,
            )
            for name, state in self.states.items()
            if name in reached
        }
        return Graph(start_at, states)


def waves(graph: Mapping[str, Collection[str]]) -> list[list[str]]:
    """What may be done at the same time, one wave after the other; each name waits for those that it maps to.

    Raises `InvalidError` for a cycle.
    """
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise InvalidError(f"stateMachine: Detected cycle in dependency graph: {' -> '.join(error.args[1])}") from None
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(sorted(ready))
        sorter.done(*ready)
    return found


def read_graph(machine: Mapping[str, Any]) -> Graph:
    """The jobs of a state machine. Raises `InvalidError`."""
    given = machine.get("States")
    if not isinstance(given, Mapping) or not given:
        raise InvalidError("stateMachine.States: Must define at least one state")
    if not (start_at := machine.get("StartAt")):
        raise InvalidError("stateMachine.StartAt: StartAt is a required field")
    for name, state in given.items():
        _check(name, state, given)
    before: dict[str, list[str]] = {name: list(state.get("DependsOn", ())) for name, state in given.items()}
    for name, state in given.items():
        if "Next" in state and name not in before[state["Next"]]:
            before[state["Next"]].append(name)
    states = {
        name: JobState(name, state["Resource"], tuple(before[name]), _attempts(state), state.get("TimeoutSeconds"))
        for name, state in given.items()
    }
    graph = Graph(str(start_at), states)
    _ = graph.waves
    if lost := states.keys() - graph.begun_at(graph.start_at).states.keys():
        raise InvalidError(
            f"stateMachine: Invalid WorkflowDefinition: {len(lost)} states have no transition path: {', '.join(lost)}"
        )
    return graph


def _check(name: str, state: Any, states: Mapping[str, Any]) -> None:
    path = f"stateMachine.States.{name}"
    if len(name) > NAME_LIMIT:
        raise InvalidError(f"{path}: the name has more than {NAME_LIMIT} characters")
    if not isinstance(state, Mapping) or state.get("Type", "Task") != "Task":
        raise InvalidError(f"{path}: with the manager batch every state is a job: a Task with a Resource")
    if unknown := state.keys() - _FIELDS:
        raise InvalidError(f"{path}: {', '.join(sorted(unknown))} mean nothing with the manager batch")
    if not isinstance(state.get("Resource"), str) or not state["Resource"]:
        raise InvalidError(f"{path}.Resource: name a state resource, or a job definition")
    if "Next" in state and state.get("End"):
        raise InvalidError(f"{path}: Can only be an End state or have a Next state not both")
    after = state.get("DependsOn", [])
    if not isinstance(after, list):
        raise InvalidError(f"{path}.DependsOn: give a list of states")
    for other in (*after, *([state["Next"]] if "Next" in state else [])):
        if other not in states:
            raise InvalidError(f"{path}: State {other} not found in StateMachine")
    timeout = state.get("TimeoutSeconds", 60)
    if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout < 1:
        raise InvalidError(f"{path}.TimeoutSeconds: give whole seconds, 1 at least")
    _ = _attempts(state)


def _attempts(state: Mapping[str, Any]) -> int | None:
    """Only one retrier has a meaning to Batch, and of it only how often; it tries again after any failure."""
    retriers = state.get("Retry", [])
    if not isinstance(retriers, list) or len(retriers) != 1:
        return None
    most = retriers[0].get("MaxAttempts", 3) if isinstance(retriers[0], Mapping) else None
    if not isinstance(most, int) or isinstance(most, bool) or not 0 <= most <= _MOST_ATTEMPTS:
        raise InvalidError(f"Retry: MaxAttempts is {most!r}: Batch tries a job 1 to {_MOST_ATTEMPTS} times")
    return max(1, most)
