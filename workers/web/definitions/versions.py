"""Versions of a definition, of the manager or of a state machine, as pages show them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from markupsafe import Markup

from workers.errors import UsageError
from workers.machines.definition import from_asl, load
from workers.machines.graph.chart import chart_of
from workers.machines.problems import Problem
from workers.machines.text import as_yaml
from workers.manager.model import WorkflowDefinition
from workers.stepfunctions.account import Account
from workers.web.definitions.picture import picture

LATEST = ""
"""The label of what a state machine runs that is started without a version."""


@dataclass(frozen=True)
class Version:
    """One version."""

    name: str
    label: str
    """Its number; `LATEST` for the present definition of a state machine."""
    created: datetime | None = None
    deprecated: bool = False
    machine: Mapping[str, Any] | None = field(default=None, repr=False)
    """As it was given, or in the notation; None where it was not read."""
    tags: Mapping[str, str] = field(default_factory=dict)
    manager: str = ""

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it, warnings too."""
        return load(dict(self.machine or {})).problems

    @cached_property
    def yaml(self) -> str:
        """The machine as people read it."""
        return as_yaml(self.machine or {})

    @cached_property
    def picture(self) -> Markup | None:
        """Its graph; None where it cannot be drawn, because of its problems."""
        names = ", ".join(name for name, _, _ in self.states)
        title = f"The states of {self.name} and the ways between them: {names}"
        try:
            return picture(chart_of(load(dict(self.machine or {})).sketch()), title=title)
        except UsageError:
            return None

    @cached_property
    def states(self) -> list[tuple[str, str, str]]:
        """The states, however deep: name, type, and what they call."""
        found: list[tuple[str, str, str]] = []
        _walk(self.machine or {}, found)
        return found


def _walk(machine: Mapping[str, Any], found: list[tuple[str, str, str]]) -> None:
    for name, state in (machine.get("States") or machine.get("states") or {}).items():
        if isinstance(state, Mapping):
            resource = state.get("Resource", state.get("resource", ""))
            found.append((str(name), str(state.get("Type", state.get("type", "Task"))), _text(resource)))
            for value in state.values():
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, Mapping) and ("States" in one or "states" in one):
                        _walk(one, found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def managed(definition: WorkflowDefinition) -> Version:
    """A version of the manager's."""
    return Version(
        name=definition.name,
        label=str(definition.version),
        created=definition.created_at,
        deprecated=definition.deprecated,
        machine=definition.state_machine,
        tags=definition.default_tags,
        manager=definition.manager,
    )


async def of_machine(account: Account, name: str) -> list[Version]:
    """The versions of a state machine, the latest first, without their definitions; first of all its present one.

    Raises `ServiceError`.
    """
    arn = account.state_machine(name)
    found = [await described(account, name, LATEST)]
    items = account.items("ListStateMachineVersions", "stateMachineVersions", stateMachineArn=arn, maxResults=1_000)
    async for item in items:
        label = item["stateMachineVersionArn"].rpartition(":")[2]
        found.append(Version(name=name, label=label, created=item["creationDate"]))
    return found


async def described(account: Account, name: str, label: str) -> Version:
    """One version of a state machine with its definition in the notation. Raises `ServiceError`."""
    arn = account.state_machine(name) + (f":{label}" if label else "")
    found = await account.call("DescribeStateMachine", stateMachineArn=arn)
    machine = from_asl(found["definition"], place=account.place, namespace=account.namespace)
    return Version(name=name, label=label, created=found["creationDate"], machine=machine, manager=found["type"])
