"""Workflow definitions of an application: read from YAML, checked against its functions, named as its own."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workers.arns import NAMESPACE_SEPARATOR, check_name, namespaced
from workers.errors import UsageError
from workers.machines.loading.files import open_source, read_text
from workers.manager.errors import InvalidError
from workers.manager.model import WorkflowDefinition, now
from workers.manager.requests import LATEST, NewWorkflowDefinition
from workers.manager.schemas import check_schema
from workers.manager.translation.machine import NESTS, read_machine
from workers.signatures import explain

CALLBACK = "callback"
REPLACED = LATEST
"""The version of a definition that may be replaced: for one that is still being written."""


@dataclass(frozen=True, slots=True)
class Names:
    """What belongs to an application in an environment: `ENV--APP-NAME`."""

    environment: str
    application: str

    def __post_init__(self) -> None:
        for what, value in (("environment", self.environment), ("application", self.application)):
            check_name(value, what)
            if NAMESPACE_SEPARATOR in value or value.startswith("-") or value.endswith("-"):
                raise UsageError(
                    f"the {what} {value!r} cannot be told from what stands beside it: take out {value!r}'s -"
                )

    def own(self, name: str) -> str:
        """`APP-NAME`: the name of a machine or an activity in the environment."""
        return f"{self.application}-{name}"

    def full(self, name: str) -> str:
        """`ENV--APP-NAME`."""
        return namespaced(self.own(name), self.environment)


def read_definitions(source: str | Path | bytes) -> list[NewWorkflowDefinition]:
    """The definitions in a YAML or JSON file, or in the text itself (`bytes`): a list of them, or one.

    Each has `name`, `stateMachine` and maybe `version`, `manager`, `defaultTags` and `inputSchema`. Raises
    `InvalidError` for what cannot be read, and `UsageError` for a file that cannot be opened.
    """
    found = read_text(source.decode(), name="the definitions") if isinstance(source, bytes) else open_source(source)
    if not found.readable or found.findings:
        said = "; ".join(f"line {found.line(one.where)}: {one.message}" for one in found.findings)
        raise InvalidError(f"{found.name}: {said}")
    documents = [found.data] if isinstance(found.data, Mapping) else found.data
    if not isinstance(documents, list):
        raise InvalidError(f"{found.name}: it must be a list of definitions, each with name and stateMachine")
    return [_definition(document, f"{found.name}: definition {number}") for number, document in enumerate(documents, 1)]


def check_definition(given: NewWorkflowDefinition, names: Names, functions: Collection[str]) -> WorkflowDefinition:
    """The definition, if it can run in the application. Raises `InvalidError` with all that is against it."""
    try:
        check_name(names.full(given.name), "state machine")
    except UsageError as error:
        raise InvalidError(f"definition {given.name}: {error}") from None
    try:
        machine = read_machine(given.state_machine)
        if given.input_schema is not None:
            check_schema(given.input_schema)
    except InvalidError as error:
        raise InvalidError(f"definition {given.name}: {error}", problems=error.problems) from None
    if problems := [*_unknown(machine, functions)]:
        raise InvalidError(f"definition {given.name}: {'; '.join(problems)}")
    return WorkflowDefinition(
        name=given.name,
        version=given.version or 0,
        created_at=now(),
        manager=given.manager,
        state_machine=machine,
        default_tags=given.default_tags,
        input_schema=given.input_schema,
    )


def own_machine(machine: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A machine whose functions and callbacks have the names that they have outside of the application."""
    return _changed(machine, names)


def _definition(document: Any, what: str) -> NewWorkflowDefinition:
    try:
        return NewWorkflowDefinition.model_validate(document)
    except ValidationError as error:
        raise InvalidError(f"{what}: {explain(error)}") from None


def _unknown(machine: Mapping[str, Any], functions: Collection[str]) -> Iterator[str]:
    """What is wrong with the resources of the tasks."""
    for name, state in _states(machine):
        resource = state.get("resource", state.get("Resource"))
        if resource is None or resource == CALLBACK or resource in functions:
            continue
        known = ", ".join(sorted(functions)) or "none"
        yield f"state {name}: unknown resource {resource!r}; the functions of the application are: {known}"


def _states(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in (machine.get("states") or machine.get("States") or {}).items():
        yield name, state
        for inner in _inside(state):
            yield from _states(inner)


def _inside(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in NESTS:
        found = state.get(key, ())
        yield from found if isinstance(found, list | tuple) else [found]


def _changed(machine: Mapping[str, Any], names: Names) -> dict[str, Any]:
    changed = dict(machine)
    for key in ("states", "States"):
        if key in changed:
            changed[key] = {name: _changed_state(state, names) for name, state in changed[key].items()}
    return changed


def _changed_state(state: Mapping[str, Any], names: Names) -> dict[str, Any]:
    changed = dict(state)
    for key in ("resource", "Resource"):
        if key in changed:
            callback = changed[key] == CALLBACK
            changed[key] = f"{CALLBACK}:{names.application}" if callback else names.own(changed[key])
    for key in NESTS:
        if isinstance(inner := changed.get(key), list | tuple):
            changed[key] = [_changed(one, names) for one in inner]
        elif inner is not None:
            changed[key] = _changed(inner, names)
    return changed
