"""Run Python functions as AWS Step Functions activities.

The public names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.errors import ActivityError as ActivityError
    from workers.errors import PausePolling as PausePolling
    from workers.errors import TaskCancelledError as TaskCancelledError
    from workers.errors import UsageError as UsageError
    from workers.errors import WorkersError as WorkersError
    from workers.registry import Registry as Registry
    from workers.settings import Settings as Settings
    from workers.supervisor.worker import Worker as Worker
    from workers.task import Task as Task
    from workers.version import __version__ as __version__

_HOMES = {
    "ActivityError": "workers.errors",
    "PausePolling": "workers.errors",
    "Registry": "workers.registry",
    "Settings": "workers.settings",
    "Task": "workers.task",
    "TaskCancelledError": "workers.errors",
    "UsageError": "workers.errors",
    "Worker": "workers.supervisor.worker",
    "WorkersError": "workers.errors",
    "__version__": "workers.version",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
