"""A definition as ASL: checked, its short names expanded, begun at any of its states, with what every machine gets."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from workers.arns import Place, namespaced
from workers.machines.definition import Definition, load, parse
from workers.machines.problems import InvalidDefinitionError, Problem, Severity
from workers.manager.batch.graph import read_graph
from workers.manager.batch.machine import batch_machine
from workers.manager.batch.starting import graph_of
from workers.manager.errors import InvalidError
from workers.manager.model import WorkflowDefinition
from workers.manager.translation.additions import ADDITIONS, walk
from workers.manager.translation.inside import begin
from workers.manager.translation.names import Identity

_PREFIXED = ("lambda:", "glue:")
"""Short names of other services that get the namespace, as activities do."""
NESTS = ("branches", "Branches", "item_processor", "ItemProcessor", "iterator", "Iterator")
"""The keys of a state that hold states, in both spellings."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A state machine as it is to be registered."""

    name: str
    identity: Identity
    asl: dict[str, Any] = field(repr=False)
    tags: Mapping[str, str]


def translate(
    definition: WorkflowDefinition, *, place: Place, namespace: str = "", start_at: str | None = None
) -> Translation:
    """The machine that runs `definition` in `namespace`, from the state `start_at` on, or from its own first one.

    Raises `InvalidError` for a state that is not there, and for a machine or a name that AWS would refuse.
    """
    if definition.manager == "batch":
        graph = graph_of(definition, start_at)
        identity = Identity.of(definition, namespace, graph.start_at)
        return Translation(
            identity.machine, identity, _checked(batch_machine(graph, place, namespace)), identity.tags(definition)
        )
    data = _namespaced_machine(dict(definition.state_machine or {}), namespace)
    asl = _asl(load({"context": False} | data if "Context" not in data else data), place, namespace)
    first = start_at or asl["StartAt"]
    asl = begin(asl, start_at) if start_at else asl
    for add in ADDITIONS:
        add(asl)
    identity = Identity.of(definition, namespace, first)
    return Translation(identity.machine, identity, _checked(asl), identity.tags(definition))


def read_jobs(given: Mapping[str, Any] | str) -> dict[str, Any]:
    """What somebody gave as a machine of jobs of AWS Batch, as JSON data. Raises `InvalidError`."""
    if isinstance(given, str):
        definition = parse(given, name="stateMachine")
        if not isinstance(definition.data, Mapping):
            _refuse(definition.problems)
            raise InvalidError("stateMachine: it is no object")
        given = definition.data
    _ = read_graph(given)
    return dict(given)


def read_machine(given: Mapping[str, Any] | str) -> dict[str, Any]:
    """What somebody gave as a machine, as JSON data: an object, or a text in YAML or JSON.

    Raises `InvalidError` with all its problems.
    """
    definition = parse(given, name="stateMachine") if isinstance(given, str) else load(given)
    _refuse(definition.problems)
    return dict(definition.data)


def asl_of(definition: WorkflowDefinition) -> dict[str, Any]:
    """A definition as ASL, with names as it has them."""
    return load(dict(definition.state_machine or {})).sketch().to_asl()


def states_of(definition: WorkflowDefinition) -> list[str]:
    """The names of all states of a definition, each before those inside of it: where a workflow may be resumed."""
    if definition.manager == "batch":
        return list(graph_of(definition).states)
    return [name for name, _ in walk(asl_of(definition)["States"])]


def _asl(definition: Definition, place: Place, namespace: str) -> dict[str, Any]:
    try:
        return deepcopy(definition.to_asl(place=place, namespace=namespace or None))
    except InvalidDefinitionError as error:
        _refuse(error.problems)
        raise


def _checked(asl: dict[str, Any]) -> dict[str, Any]:
    """The machine, if AWS would take it: beginning later can leave a variable without a value."""
    _refuse(load(asl).problems)
    return asl


def _refuse(problems: tuple[Problem, ...]) -> None:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        lines = "; ".join(f"{one.path or 'the machine'}: {one.message}" for one in errors)
        raise InvalidError(f"stateMachine: {lines}", problems=[_shown(problem) for problem in problems])


def _shown(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "path": problem.path,
        "line": problem.line,
        "message": problem.message,
        "severity": str(problem.severity),
    }


def _namespaced_machine(machine: dict[str, Any], namespace: str) -> dict[str, Any]:
    """A copy in which the namespace stands before the short names of functions and jobs."""
    return {
        key: {name: _namespaced_state(state, namespace) for name, state in value.items()}
        if key in {"states", "States"} and isinstance(value, Mapping)
        else value
        for key, value in machine.items()
    }


def _namespaced_state(state: Any, namespace: str) -> Any:
    if not isinstance(state, Mapping):
        return state
    changed = dict(state)
    for key in ("resource", "Resource"):
        resource = changed.get(key)
        if isinstance(resource, str) and resource.startswith(_PREFIXED):
            service, _, name = resource.partition(":")
            changed[key] = f"{service}:{namespaced(name, namespace or None)}"
    for key in NESTS:
        inside = changed.get(key)
        if isinstance(inside, Mapping):
            changed[key] = _namespaced_machine(dict(inside), namespace)
        elif isinstance(inside, list):
            changed[key] = [
                _namespaced_machine(dict(one), namespace) if isinstance(one, Mapping) else one for one in inside
            ]
    return changed
