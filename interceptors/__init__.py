"""What happens around a handler: heartbeats and whatever else wraps a task, each an interceptor.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interceptors.chain import CallNext as CallNext
    from interceptors.chain import Interceptor as Interceptor
    from interceptors.heartbeat import Heartbeat as Heartbeat
    from interceptors.idempotent import Idempotent as Idempotent
    from interceptors.payload import Payload as Payload
    from interceptors.payload_log import LogPayloads as LogPayloads
    from interceptors.retries import Retry as Retry
    from interceptors.steps import Steps as Steps
    from interceptors.telemetry import Telemetry as Telemetry
    from interceptors.timeout import Timeout as Timeout

_HOMES = {
    "CallNext": "interceptors.chain",
    "Heartbeat": "interceptors.heartbeat",
    "Idempotent": "interceptors.idempotent",
    "Interceptor": "interceptors.chain",
    "LogPayloads": "interceptors.payload_log",
    "Payload": "interceptors.payload",
    "Retry": "interceptors.retries",
    "Steps": "interceptors.steps",
    "Telemetry": "interceptors.telemetry",
    "Timeout": "interceptors.timeout",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'interceptors' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
