"""Tasks that somebody else finishes by a key: a person, a webhook, another system.

    async with Callbacks("prod", "shop") as callbacks:
        await callbacks.success(order_id, {"paid": True})

A state with `resource: callback:shop` and a `task_key` waits for that. The public names are loaded when they are first
used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.callbacks.callbacks import Callbacks as Callbacks
    from workers.callbacks.errors import AmbiguousKeyError as AmbiguousKeyError
    from workers.callbacks.errors import CallbackStoreError as CallbackStoreError
    from workers.callbacks.ledger import Outcome as Outcome
    from workers.callbacks.requests import finish_by_request as finish_by_request

_HOMES = {
    "AmbiguousKeyError": "workers.callbacks.errors",
    "CallbackStoreError": "workers.callbacks.errors",
    "Callbacks": "workers.callbacks.callbacks",
    "Outcome": "workers.callbacks.ledger",
    "finish_by_request": "workers.callbacks.requests",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.callbacks' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
