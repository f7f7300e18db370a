"""State machines with their revisions, versions and aliases, and the rules by which AWS changes them."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from workers.local.arns import Arn, parse
from workers.local.errors import conflict, state_machine_does_not_exist, validation


@dataclass(frozen=True, slots=True)
class Revision:
    """What an execution runs: a definition (JSON text) that was accepted, with its role and its configuration."""

    definition: str
    role: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]
    id: str | None = None
    """None until the machine is updated for the first time, as on AWS."""
    updated: float = field(kw_only=True)

    def same_as(self, other: "Revision", *, ignore_role: bool = False) -> bool:
        """Whether `other` would change nothing."""
        content = attrgetter("definition", "logging", "tracing", "encryption", *(() if ignore_role else ("role",)))
        return bool(content(self) == content(other))


@dataclass(frozen=True, slots=True)
class Version:
    """A published revision."""

    arn: str
    number: int
    revision: Revision
    description: str
    created: float


@dataclass(slots=True)
class Alias:
    """A name for one version or two, chosen by weight. `routes`: version ARN and weight, which add up to 100."""

    arn: str
    name: str
    routes: list[tuple[str, int]]
    description: str
    created: float
    updated: float

    def route(self) -> str:
        """The ARN of the version that the next execution runs."""
        versions, weights = zip(*self.routes, strict=True)
        chosen: str = random.choices(versions, weights)[0]  # noqa: S311 - no secret depends on it
        return chosen


@dataclass(slots=True)
class StateMachine:
    """A state machine: its current revision, and what was published of it."""

    arn: str
    name: str
    type: str
    revision: Revision
    created: float
    versions: dict[int, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    last_version: int = 0

    def update(self, changed: Revision) -> bool:
        """Makes `changed` the current revision. False when it changes nothing: then there is no new revision."""
        if changed.same_as(self.revision):
            return False
        self.revision = replace(changed, id=str(uuid.uuid4()))
        return True

    def publish(self, description: str, now: float, *, revision_id: str | None = None) -> Version:
        """Returns the version of the current revision, published `now` unless it was the last one published.

        Raises `ApiError` ConflictException when `revision_id` is not the current revision.
        """
        if revision_id is not None and revision_id != (self.revision.id or "INITIAL"):
            raise conflict(
                f"Failed to publish the State Machine version for revision {revision_id}. "
                f"The current State Machine revision is {self.revision.id or 'INITIAL'}."
            )
        latest = self.versions.get(self.last_version)
        if latest is None or latest.revision is not self.revision:
            self.last_version += 1
            number = self.last_version
            latest = Version(f"{self.arn}:{number}", number, self.revision, description, now)
            self.versions[number] = latest
        return latest

    def version(self, arn: str) -> Version:
        """The version with that ARN. Raises `ApiError` StateMachineDoesNotExist."""
        for version in self.versions.values():
            if version.arn == arn:
                return version
        raise state_machine_does_not_exist(arn)

    def delete_version(self, number: int) -> None:
        """Raises `ApiError` ConflictException while an alias routes to the version."""
        arn = f"{self.arn}:{number}"
        users = [alias.name for alias in self.aliases.values() if arn in dict(alias.routes)]
        if users:
            raise conflict(
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(users)}]"
            )
        self.versions.pop(number, None)

    def create_alias(self, name: str, routes: list[tuple[str, int]], description: str, now: float) -> Alias:
        """Raises `ApiError`: ConflictException for another alias of that name, see `check_routes` for the rest."""
        self.check_routes(routes)
        if (known := self.aliases.get(name)) is None:
            known = self.aliases[name] = Alias(f"{self.arn}:{name}", name, routes, description, now, now)
        elif (known.routes, known.description) != (routes, description):
            raise conflict(
                "Failed to create alias because an alias with the same name and a different routing configuration "
                "already exists."
            )
        return known

    def check_routes(self, routes: Sequence[tuple[str, int]]) -> None:
        """Raises `ApiError` ValidationException unless `routes` lead to versions of this machine, with 100 %."""
        arns = [arn for arn, _ in routes]
        shown = ", ".join(arns)
        if not all(arn.removeprefix(f"{self.arn}:").isdecimal() for arn in arns):
            raise validation(f"Routing configuration must contain state machine version ARNs. Received: [{shown}]")
        if len(set(arns)) < len(arns):
            raise validation(
                f"Routing configuration must contain distinct state machine version ARNs. Received: [{shown}]"
            )
        if sum(weights := [weight for _, weight in routes]) != 100:
            raise validation(f"Sum of routing configuration weights must equal 100. Received: {weights}")
        for arn in arns:
            self.version(arn)


@dataclass(frozen=True, slots=True)
class Target:
    """What an ARN given to StartExecution means: a machine, its revision, and how it was chosen."""

    machine: StateMachine
    revision: Revision
    version_arn: str | None = None
    alias_arn: str | None = None
    test_case: str | None = None
    """Of the mock configuration: what stands after `#` in the ARN."""


def parse_machine(text: str) -> Arn:
    """The ARN of a state machine, of a version or of an alias, in `text`.

    Raises `ApiError`: InvalidArn, and ValidationException for one that names a Map in a machine (API reference).
    """
    arn = parse(text, "stateMachine")
    if "/" in arn.resource:
        raise validation(f"The ARN names a Map in a state machine, not the state machine: {text}")
    return arn


class Machines:
    """The state machines of one region by ARN."""

    def __init__(self) -> None:
        self._machines: dict[str, StateMachine] = {}

    def add(self, machine: StateMachine) -> None:
        self._machines[machine.arn] = machine

    def delete(self, arn: str) -> None:
        """Forgets a machine, known or not, with its versions and aliases."""
        self._machines.pop(arn, None)

    def find(self, arn: str) -> StateMachine | None:
        return self._machines.get(arn)

    def get(self, arn: str) -> StateMachine:
        """The machine that an ARN names, be it its own, of a version or of an alias.

        Raises `ApiError`: StateMachineDoesNotExist, and as `parse_machine` does.
        """
        machine = self.find(parse_machine(arn).unqualified)
        if machine is None:
            raise state_machine_does_not_exist(arn)
        return machine

    def target(self, arn: str) -> Target:
        """What runs when an execution of `arn` is started. Raises `ApiError`, as `get` does."""
        arn, _, test_case = arn.partition("#")
        machine, qualifier = self.get(arn), parse(arn, "stateMachine").qualifier
        if qualifier is None:
            return Target(machine, machine.revision, test_case=test_case or None)
        alias = machine.aliases.get(qualifier)
        if alias is None and not qualifier.isdecimal():
            raise state_machine_does_not_exist(arn)
        version = machine.version(alias.route() if alias else arn)
        return Target(machine, version.revision, version.arn, alias.arn if alias else None, test_case or None)

    def by_name(self) -> list[StateMachine]:
        return sorted(self._machines.values(), key=lambda machine: machine.name)
