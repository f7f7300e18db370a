"""The state that is tried: taken out of its definition and put into a machine of its own."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from workers.local.branch import Branch, Plan, State, Step
from workers.local.definitions import parse
from workers.local.errors import invalid_definition, validation
from workers.local.program import compiled
from workers.machines.model.machine import AnyState, Map, Parallel, StateMachine
from workers.machines.model.states import Task

MOCKED_RESOURCE = "arn:aws:states:::mock:answer"
_NAME = "State"
_COLLECTIONS = frozenset(
    {"Branches", "ItemProcessor", "Iterator", "ItemReader", "ItemBatcher", "ResultWriter", "Label"}
    | {"Items", "ItemsPath", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath"}
    | {"ToleratedFailureCount", "ToleratedFailureCountPath"}
    | {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"}
)
"""What Parallel and Map have and Task has not."""


class Subject(NamedTuple):
    """A state as its definition has it."""

    name: str
    model: AnyState
    asl: dict[str, Any]
    language: str | None
    """The query language of the machine around it."""

    @property
    def jsonata(self) -> bool:
        return self.model.speaks_jsonata(self.language)

    @property
    def unmockable(self) -> bool:
        """Whether it cannot be tried without a mock: it would start others, or wait for others."""
        resource = self.model.resource if isinstance(self.model, Task) else ""
        waits = ":activity:" in resource or resource.endswith((".sync", ".sync:2", ".waitForTaskToken"))
        return waits or isinstance(self.model, Map | Parallel)

    def plan(self, *, mocked: bool) -> Plan:
        """The state in a line of its own, which ends where the state leads to; Retry and Catch are left out.

        `mocked`: what it calls, or the states it holds, become one call of a service that there is not.
        """
        asl = {key: value for key, value in self.asl.items() if key not in {"Retry", "Catch"}}
        if mocked:
            asl = {key: value for key, value in asl.items() if key not in _COLLECTIONS}
            asl |= {"Type": "Task", "Resource": MOCKED_RESOURCE}
        machine = StateMachine.model_validate(_machine(self.name, asl, self.language))
        states = compiled(machine).plan.states
        return Plan(self.name, {name: states[name] if name == self.name else Arrival(name) for name in states})


class Arrival(State):
    """Where the state that is tried leads to: nothing happens there."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "Pass")

    async def run(self, branch: Branch) -> Step:
        return Step(None, branch.frame.input)


def find_subject(definition: str, state_name: str | None) -> Subject:
    """The state that a request names: in a whole definition, or the one that the definition is of.

    Raises `ApiError`: InvalidDefinition, ValidationException.
    """
    if state_name is not None:
        parse(definition)
        machine = StateMachine.model_validate_json(definition)
        for name, state in machine.walk():
            if name == state_name:
                return Subject(name, state, state.to_asl(), machine.query_language)
        raise validation("State not found in definition")
    try:
        asl = json.loads(definition)
    except (ValueError, RecursionError) as error:
        raise invalid_definition(f"INVALID_JSON_DESCRIPTION: {error}") from None
    if not isinstance(asl, dict):
        raise invalid_definition("INVALID_JSON_DESCRIPTION: expected a JSON object")
    language = asl.get("QueryLanguage")
    whole = _machine(_NAME, asl, language if isinstance(language, str) else None)
    parse(json.dumps(whole))
    return Subject(_NAME, StateMachine.model_validate(whole).states[_NAME], asl, whole.get("QueryLanguage"))


def _machine(name: str, asl: dict[str, Any], language: str | None) -> dict[str, Any]:
    """A machine of one state, and of states that end where it leads to."""
    around = {target: {"Type": "Succeed"} for target in _targets(asl)} | {name: asl}
    return {"StartAt": name, "States": around} | ({"QueryLanguage": language} if language else {})


def _targets(asl: dict[str, Any]) -> Iterator[str]:
    parts = [asl]
    for key in ("Choices", "Catch"):
        listed = asl.get(key)
        parts += [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    for part in parts:
        for key in ("Next", "Default"):
            if isinstance(target := part.get(key), str):
                yield target
