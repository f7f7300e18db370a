"""What can go wrong between a worker and Step Functions, and plans of when it does."""

import random
from collections.abc import Callable
from enum import StrEnum


class Fault(StrEnum):
    """One way to spoil a call."""

    DROP_BEFORE = "dropped before it was passed on"
    DROP_AFTER = "dropped after it was passed on"
    DELAY = "delayed"
    SERVER_ERROR = "answered 500"
    PAGE = "answered 502 by a page"
    THROTTLE = "throttled"
    HALF_ANSWER = "answered by half"
    SILENCE = "not answered, then reset"
    KMS_DENIED = "denied by KMS"


Plan = Callable[[str], Fault | None]
"""Chooses the fault of a call by its operation, such as GetActivityTask."""


def no_faults(operation: str) -> Fault | None:
    """Lets every call through."""


def mixed(share: float, *, seed: int) -> Plan:
    """Spoils a `share` (0 to 1) of all calls, each in one of the ways there are."""
    chance = random.Random(seed)
    kinds = [fault for fault in Fault if fault is not Fault.KMS_DENIED]  # that does not pass by itself

    def draw(operation: str) -> Fault | None:
        return chance.choice(kinds) if chance.random() < share else None

    return draw


def only(prefix: str, plan: Plan) -> Plan:
    """Follows `plan` for calls whose operation begins with `prefix`; lets all others through."""
    return lambda operation: plan(operation) if operation.startswith(prefix) else None


def always(prefix: str, fault: Fault) -> Plan:
    """Spoils every call whose operation begins with `prefix`."""
    return lambda operation: fault if operation.startswith(prefix) else None


def once(prefix: str, fault: Fault) -> Plan:
    """Spoils the first call whose operation begins with `prefix`."""
    left = [fault]
    return lambda operation: left.pop() if left and operation.startswith(prefix) else None
