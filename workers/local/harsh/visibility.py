"""Eventual consistency: what was created or changed a moment ago is not seen yet (API reference)."""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from workers.local.errors import activity_does_not_exist, resource_not_found, state_machine_does_not_exist
from workers.local.machines import Alias, StateMachine
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
_DELETED = {
    "DeleteActivity": "activityArn",
    "DeleteStateMachine": "stateMachineArn",
    "DeleteStateMachineAlias": "stateMachineAliasArn",
}
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
_UPDATES = frozenset({"UpdateStateMachine", "UpdateStateMachineAlias"})
_OLD_IN = frozenset({"DescribeStateMachine", "StartExecution", "DescribeStateMachineAlias"})
_PUBLISHING = frozenset({"CreateStateMachine", "UpdateStateMachine"})


class Visibility:
    """What of one region cannot be seen yet. `clock` gives seconds."""

    def __init__(self, random: Random, clock: Callable[[], float] = time.monotonic) -> None:
        self._random = random
        self._clock = clock
        self._known: set[str] = set()
        self._hidden: dict[str, float] = {}
        self._old: dict[str, tuple[Any, float]] = {}
        """The revisions of machines and the routes of aliases that were replaced, by ARN."""

    def check(self, operation: str, parameters: dict[str, Any]) -> None:
        """Raises the `ApiError` of a resource that does not exist for one that is not visible yet."""
        if operation not in _READS:
            return
        for name in ("activityArn", "stateMachineArn", "stateMachineAliasArn"):
            if self._is_hidden(arn := parameters.get(name, "").partition("#")[0]):
                raise _ABSENT[name](arn)

    def seeing(self, name: str, operation: Operation) -> Operation:
        """The operation as it sees what was updated a moment ago: a machine's revision and an alias's routes before."""
        if name in _UPDATES:
            return self._noting(operation)
        if name not in _OLD_IN:
            return operation

        def seeing(region: Region, parameters: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
            with self._as_before(_named(region, parameters)):  # done when it returns: others never see it
                return operation(region, parameters)

        return seeing

    def changed(self, operation: str, parameters: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Notes what an operation created or deleted; gives its answer without what cannot be seen yet."""
        if operation in _PUBLISHING and (version := answer.get("stateMachineVersionArn")):
            self._hide(version)
        if operation in _CREATED:
            self._hide(answer[_CREATED[operation]])
        elif operation in _DELETED:
            self._forget(parameters[_DELETED[operation]])
        elif operation in _LISTS:
            listed, arn = _LISTS[operation]
            return answer | {listed: [item for item in answer[listed] if not self._is_hidden(item[arn])]}
        return answer

    def _noting(self, update: Operation) -> Operation:
        """The update, which also notes what it replaces."""

        async def noting(region: Region, parameters: dict[str, Any]) -> dict[str, Any]:
            updated = _named(region, parameters)
            before = [getattr(one, attribute) for one, attribute in updated]
            answer = update(region, parameters)
            answered = await answer if inspect.isawaitable(answer) else answer
            for (one, attribute), old in zip(updated, before, strict=True):
                if getattr(one, attribute) is not old:
                    self._old[one.arn] = old, self._until()
            return answered

        return noting

    @contextmanager
    def _as_before(self, seen: list[tuple[StateMachine | Alias, str]]) -> Iterator[None]:
        """Shows what was updated a moment ago as it was."""
        current = [(one, attribute, getattr(one, attribute)) for one, attribute in seen]
        for one, attribute, _ in current:
            old, until = self._old.get(one.arn, (None, -1.0))
            if self._clock() <= until:
                setattr(one, attribute, old)
        try:
            yield
        finally:
            for one, attribute, value in current:
                setattr(one, attribute, value)

    def _hide(self, arn: str) -> None:
        """Hides for a while what was not there before."""
        if arn not in self._known:
            self._known.add(arn)
            self._hidden[arn] = self._until()

    def _forget(self, arn: str) -> None:
        """Forgets what was deleted, with the versions and aliases of a machine: what is created there is another."""
        gone = {known for known in self._known | self._old.keys() if f"{known}:".startswith(f"{arn}:")}
        self._known -= gone
        for one in gone:
            self._old.pop(one, None)

    def _is_hidden(self, arn: str) -> bool:
        if arn in self._hidden and self._hidden[arn] < self._clock():
            del self._hidden[arn]
        return arn in self._hidden

    def _until(self) -> float:
        return self._clock() + self._random.uniform(0, LONGEST)


def _named(region: Region, parameters: dict[str, Any]) -> list[tuple[StateMachine | Alias, str]]:
    """The machine and the alias that a request names, each with the attribute that an update of it replaces."""
    arn = parameters.get("stateMachineArn") or parameters.get("stateMachineAliasArn", "")
    arn = arn.partition("#")[0]
    if machine := region.machines.find(arn):
        return [(machine, "revision")]
    machine = region.machines.find(arn.rpartition(":")[0])
    alias = machine.aliases.get(arn.rpartition(":")[2]) if machine else None
    return [] if alias is None else [(alias, "routes")]


_ABSENT: dict[str, Callable[[str], Exception]] = {
    "activityArn": activity_does_not_exist,
    "stateMachineArn": state_machine_does_not_exist,
    "stateMachineAliasArn": lambda _: resource_not_found(),
}
