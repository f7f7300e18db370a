"""Eventual consistency: what was created or changed a moment ago is not seen yet (API reference)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from workers.local.errors import activity_does_not_exist, resource_not_found, state_machine_does_not_exist
from workers.local.machines import Revision, StateMachine
from workers.local.region import Region

LONGEST = 5.0
"""Seconds until everybody sees a change."""

_CREATED = {
    "CreateActivity": "activityArn",
    "CreateStateMachine": "stateMachineArn",
    "CreateStateMachineAlias": "stateMachineAliasArn",
    "PublishStateMachineVersion": "stateMachineVersionArn",
}
_DELETED = {"DeleteActivity": "activityArn", "DeleteStateMachine": "stateMachineArn"}
_LISTS = {
    "ListActivities": ("activities", "activityArn"),
    "ListStateMachines": ("stateMachines", "stateMachineArn"),
    "ListStateMachineAliases": ("stateMachineAliases", "stateMachineAliasArn"),
    "ListStateMachineVersions": ("stateMachineVersions", "stateMachineVersionArn"),
}
_READS = frozenset(
    {"DescribeActivity", "GetActivityTask", "DescribeStateMachine", "StartExecution", "StartSyncExecution"}
    | {"DescribeStateMachineAlias", "ListExecutions"}
)
_OLD_REVISION_IN = frozenset({"DescribeStateMachine", "StartExecution"})


class Visibility:
    """What of one region cannot be seen yet. `clock` gives seconds."""

    def __init__(self, random: Random, clock: Callable[[], float] = time.monotonic) -> None:
        self._random = random
        self._clock = clock
        self._known: set[str] = set()
        self._hidden: dict[str, float] = {}
        self._old: dict[str, tuple[Revision, float]] = {}

    def check(self, operation: str, parameters: dict[str, Any]) -> None:
        """Raises the `ApiError` of a resource that does not exist for one that is not visible yet."""
        if operation not in _READS:
            return
        for name in ("activityArn", "stateMachineArn", "stateMachineAliasArn"):
            if self._is_hidden(arn := parameters.get(name, "").partition("#")[0]):
                raise _ABSENT[name](arn)

    @contextmanager
    def as_seen(self, operation: str, region: Region, parameters: dict[str, Any]) -> Iterator[None]:
        """Lets an operation see the revision that a machine had before it was updated a moment ago."""
        machine = region.machines.find(parameters.get("stateMachineArn", "").partition("#")[0])
        if operation == "UpdateStateMachine" and machine is not None:
            with self._kept(machine):
                yield
            return
        old = self._old.get(machine.arn) if machine and operation in _OLD_REVISION_IN else None
        if machine is None or old is None or old[1] < self._clock():
            yield
            return
        current, machine.revision = machine.revision, old[0]
        try:
            yield
        finally:
            machine.revision = current

    def changed(self, operation: str, parameters: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Notes what an operation created or deleted; gives its answer without what cannot be seen yet."""
        if operation in _CREATED and (arn := answer[_CREATED[operation]]) not in self._known:
            self._known.add(arn)
            self._hidden[arn] = self._until()
        elif operation in _DELETED:
            self._known.discard(parameters[_DELETED[operation]])
        elif operation in _LISTS:
            listed, arn = _LISTS[operation]
            return answer | {listed: [item for item in answer[listed] if not self._is_hidden(item[arn])]}
        return answer

    @contextmanager
    def _kept(self, machine: StateMachine) -> Iterator[None]:
        before = machine.revision
        yield
        if machine.revision is not before:
            self._old[machine.arn] = before, self._until()

    def _is_hidden(self, arn: str) -> bool:
        if arn in self._hidden and self._hidden[arn] < self._clock():
            del self._hidden[arn]
        return arn in self._hidden

    def _until(self) -> float:
        return self._clock() + self._random.uniform(0, LONGEST)


_ABSENT: dict[str, Callable[[str], Exception]] = {
    "activityArn": activity_does_not_exist,
    "stateMachineArn": state_machine_does_not_exist,
    "stateMachineAliasArn": lambda _: resource_not_found(),
}
