"""The workflow manager inside an application: no server, no database, only Step Functions.

    manager = EmbeddedManager("prod", "shop", registry, definitions="workflows.yaml", role=ROLE)
    async with manager, manager.working():
        workflow = await manager.start_workflow("order", {"id": 17})

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.embedded.definitions import read_definitions as read_definitions
    from workers.embedded.manager import EmbeddedManager as EmbeddedManager
    from workers.embedded.refused import NotSupportedError as NotSupportedError

_HOMES = {
    "EmbeddedManager": "workers.embedded.manager",
    "NotSupportedError": "workers.embedded.refused",
    "read_definitions": "workers.embedded.definitions",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.embedded' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
