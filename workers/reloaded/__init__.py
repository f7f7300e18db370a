"""One run of a state machine with a fresh registration of everything: a saved file is never answered by old code.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.reloaded.leftovers import clean as clean
    from workers.reloaded.run import start_execution as start_execution

_HOMES = {
    "clean": "workers.reloaded.leftovers",
    "start_execution": "workers.reloaded.run",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.reloaded' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
