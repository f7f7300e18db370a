"""Machines that are registered on the engine of the tests: once for each definition, used by one run at a time."""

import json
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from workers.machines.definition import load
from workers.machines.registration.wanted import Given
from workers.reloaded.fresh import Fresh, prepare, register
from workers.reloaded.names import Snapshot
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account

_OWNER = "tests"
_Key = tuple[Any, ...]


class Registrations:
    """Machines that no run uses now, to be used again: on this engine no poll that is dropped takes a task along."""

    def __init__(self) -> None:
        self._idle: defaultdict[_Key, list[Fresh]] = defaultdict(list)
        self._keys: dict[str, tuple[_Key, Given]] = {}
        """By the ARN of a machine, what it was made from: kept, so that functions in it keep their identity."""

    def idle(self, account: Account, definition: Given, handlers: Collection[str]) -> Fresh | None:
        """A machine that was given back, if there is one that fits."""
        found = self._idle[_key(account, definition, handlers)]
        return found.pop() if found else None

    async def make(self, account: Account, definition: Given, handlers: Collection[str]) -> Fresh:
        """A machine that nobody else uses, with activities of its own; to be given back when its run has ended.

        Raises `UsageError` and `InvalidDefinitionError`.
        """
        key = _key(account, definition, handlers)
        wanted = prepare(account, _name(definition), load(definition), handlers, Snapshot(_OWNER))
        made = await register(account, wanted, role=None, owner=Owner.current(_OWNER))
        self._keys[made.machine.arn] = key, definition
        return made

    def give_back(self, machine: Fresh) -> None:
        """The next run may use it."""
        if known := self._keys.get(machine.machine.arn):
            self._idle[known[0]].append(machine)

    def forget(self) -> None:
        """All of them are gone."""
        self._idle.clear()
        self._keys.clear()


def _key(account: Account, definition: Given, handlers: Collection[str]) -> _Key:
    if isinstance(definition, str | Path):
        path = Path(definition)
        what: Any = (str(path), path.stat().st_mtime_ns if path.exists() else None)
    else:
        what = json.dumps(definition, default=repr) if isinstance(definition, dict) else id(definition)
    return id(account), what, tuple(handlers)


def _name(definition: Given) -> str:
    return Path(definition).stem if isinstance(definition, str | Path) else "machine"
