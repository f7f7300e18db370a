"""What is examined: machines, and in them the tasks that workers do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workers.arns import Place
from workers.machines.definition import Definition, load
from workers.machines.model.machine import AnyState, Branch, Map, Parallel, StateMachine
from workers.machines.model.states import Task
from workers.machines.problems import Problem, Severity
from workers.stepfunctions.account import Account

_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")


@dataclass(frozen=True, slots=True)
class Use:
    """A task of a machine that is an activity."""

    machine: str
    state: str
    task: Task
    around: tuple[AnyState, ...] = ()
    """The Map and Parallel states around it, the innermost first."""

    @property
    def where(self) -> str:
        """For findings."""
        return f"{self.machine}: {self.state}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A machine, from a file or as it is deployed."""

    name: str
    problems: tuple[Problem, ...] = field(repr=False)
    machine: StateMachine | None = field(repr=False)
    """None where its problems are too bad."""
    deployed_as: str = ""
    """Its ARN; of a file, the name that `workers machines put` gives it."""

    def uses(self) -> Iterator[Use]:
        """The tasks that are activities, however deep."""
        if self.machine:
            yield from _uses(self.name, self.machine, ())


def from_file(path: Path, *, place: Place, namespace: str | None) -> Subject:
    """The machine in a file; names in it stand for what they mean in `place`. Raises `UsageError`."""
    return _subject(str(path), load(path), place, namespace, path.stem)


async def from_account(name: str, account: Account) -> Subject:
    """A machine as it is registered. Raises `ServiceError`."""
    found = await account.call("DescribeStateMachine", stateMachineArn=account.state_machine(name))
    definition = load(json.loads(found["definition"]))
    return _subject(found["name"], definition, account.place, None, found["stateMachineArn"])


def _subject(name: str, definition: Definition, place: Place, namespace: str | None, deployed_as: str) -> Subject:
    broken = any(problem.severity is Severity.ERROR for problem in definition.problems)
    machine = None if broken else definition.machine(place=place, namespace=namespace)
    return Subject(name, definition.problems, machine, deployed_as)


def _uses(machine: str, branch: Branch, around: tuple[AnyState, ...]) -> Iterator[Use]:
    for name, state in branch.states.items():
        if isinstance(state, Task) and _ACTIVITY.fullmatch(state.resource):
            yield Use(machine, name, state, around)
        for inner in inner_branches(state):
            yield from _uses(machine, inner, (state, *around))


def inner_branches(state: AnyState) -> list[Branch]:
    """The branches of a Parallel, or what a Map does with each item."""
    if isinstance(state, Parallel):
        return list(state.branches)
    return [state.processor] if isinstance(state, Map) else []
