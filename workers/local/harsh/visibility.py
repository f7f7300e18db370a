"""Eventual consistency: what was created or changed a moment ago is not seen yet (API reference)."""

import inspect
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from workers.local.errors import activity_does_not_exist, resource_not_found, state_machine_does_not_exist
from workers.local.machines import Revision
from workers.local.operations.types import Operation
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

    def seeing(self, name: str, operation: Operation) -> Operation:
        """The operation as it sees a machine that was updated a moment ago: with the revision from before."""
        if name == "UpdateStateMachine":
            return self._noting(operation)
        if name not in _OLD_REVISION_IN:
            return operation

        def seeing(region: Region, parameters: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
            machine = region.machines.find(parameters["stateMachineArn"].partition("#")[0])
            old = self._old.get(machine.arn) if machine else None
            if machine is None or old is None or old[1] < self._clock():
                return operation(region, parameters)
            current, machine.revision = machine.revision, old[0]
            try:
                return operation(region, parameters)  # done when it returns: others never see the old revision
            finally:
                machine.revision = current

        return seeing

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

    def _noting(self, update: Operation) -> Operation:
        """The update, which also notes what it replaces."""

        async def noting(region: Region, parameters: dict[str, Any]) -> dict[str, Any]:
            machine = region.machines.find(parameters["stateMachineArn"])
            before = machine.revision if machine else None
            answer = update(region, parameters)
            answered = await answer if inspect.isawaitable(answer) else answer
            if machine and before and machine.revision is not before:
                self._old[machine.arn] = before, self._until()
            return answered

        return noting

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
