"""The retrier that lets workers be replaced: a task that a stopping worker hands back is not a failed attempt.

It stands first and has attempts of its own, so that a deploy never spends those of the business's retriers. The
delays stay short, for another worker is already polling; FULL jitter spreads what a whole fleet hands back.
"""

from collections.abc import Mapping
from typing import Any

from workers.machines.notation.values import SHUTTING_DOWN, ValueRefusedError, error_names

_RETRIER = {
    "ErrorEquals": [SHUTTING_DOWN],
    "IntervalSeconds": 1,
    "MaxAttempts": 100,
    "BackoffRate": 2,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}


def deploy_retrier() -> dict[str, Any]:
    """The retrier, as ASL."""
    return _RETRIER | {"ErrorEquals": [SHUTTING_DOWN]}


def has_own(retriers: Any) -> bool:
    """Whether one of `retriers`, in ASL or in the notation, names `Worker.ShuttingDown` itself."""
    return isinstance(retriers, list | tuple) and any(SHUTTING_DOWN in _names(retrier) for retrier in retriers)


def without(retriers: Any) -> list[Any] | None:
    """The retriers after the one for deploys; None where that is not the first, or another names its error too."""
    if isinstance(retriers, list) and retriers[:1] == [_RETRIER] and not has_own(retriers[1:]):
        return retriers[1:]
    return None


def _names(retrier: Any) -> list[str]:
    if not isinstance(retrier, Mapping):
        return []
    try:
        return error_names(retrier.get("ErrorEquals", retrier.get("error_equals", ())))
    except ValueRefusedError:
        return []
