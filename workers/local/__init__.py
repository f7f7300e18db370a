"""The embedded Step Functions: AWS Step Functions with activities on one machine, for development and tests."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.local.engine import LocalStepFunctions as LocalStepFunctions

_HOMES = {"LocalStepFunctions": "workers.local.engine"}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.local' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
