"""The doctor: finds what does not fit between the handlers, the machines and AWS.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.doctor.examination import Report as Report
    from workers.doctor.examination import examine as examine
    from workers.doctor.findings import Finding as Finding
    from workers.doctor.findings import Level as Level

_HOMES = {
    "Finding": "workers.doctor.findings",
    "Level": "workers.doctor.findings",
    "Report": "workers.doctor.examination",
    "examine": "workers.doctor.examination",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.doctor' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
