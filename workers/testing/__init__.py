"""What tests of handlers and state machines need: no AWS account, no waiting, nothing left behind.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.offline.environment import ActivityEnvironment as ActivityEnvironment
    from workers.offline.run import Beat as Beat
    from workers.testing.machine import run_machine as run_machine
    from workers.testing.mocks import in_turn as in_turn
    from workers.testing.run import MachineRun as MachineRun

_HOMES = {
    "ActivityEnvironment": "workers.offline.environment",
    "Beat": "workers.offline.run",
    "MachineRun": "workers.testing.run",
    "in_turn": "workers.testing.mocks",
    "run_machine": "workers.testing.machine",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
