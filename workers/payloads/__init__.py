"""Payloads of any size: values that Step Functions would refuse travel as claims on objects in a store.

    async with Payloads("s3://bucket/prefix") as payloads:
        small = await payloads.offload(document)
        assert await payloads.reload(small) == document

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.payloads.claim import Claim as Claim
    from workers.payloads.errors import PayloadError as PayloadError
    from workers.payloads.payloads import Payloads as Payloads
    from workers.payloads.streams import PayloadStream as PayloadStream

_HOMES = {
    "Claim": "workers.payloads.claim",
    "PayloadError": "workers.payloads.errors",
    "PayloadStream": "workers.payloads.streams",
    "Payloads": "workers.payloads.payloads",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.payloads' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
