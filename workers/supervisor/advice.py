"""What is said at start because it would show too late: by throttling, or by a SIGKILL in the middle of a drain."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from workers.settings import Settings
from workers.stepfunctions.client import POLL_READ_TIMEOUT
from workers.supervisor.quota import Load, demands, excesses

log = structlog.get_logger(__name__)

CONTAINER_STOP_GRACE = 30.0
"""Seconds from SIGTERM to SIGKILL by default: ECS (stopTimeout), Kubernetes (terminationGracePeriodSeconds)."""
_REPORTS = 5.0
"""Seconds for the last reports."""
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))
_CONTAINER_VARIABLES = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4")


def advise(settings: Settings, loads: Iterable[Load], region: str) -> None:
    """Warns of a stop limit that is shorter than a drain, and of API buckets that this worker alone overflows.

    With `--local` nothing is assumed of the place, and there are no buckets.
    """
    if problem := stop_grace_problem(settings, os.environ):
        log.warning("stop limit too short", problem=problem, hint="raise it, and say so in WORKERS_STOP_GRACE")
    for excess in [] if settings.local else excesses(demands(loads, region, budget=settings.budget)):
        log.warning("more than the account's API quota", demand=excess, hint="see workers run --print-quota")


def drain_seconds(settings: Settings) -> float:
    """How long a drain can take: open polls are held for a minute, handlers get the grace, reports need a moment."""
    return max(POLL_READ_TIMEOUT, settings.grace + _REPORTS)


def stop_grace_problem(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """What is wrong with the time between SIGTERM and SIGKILL, where that is known or can be assumed."""
    limit = settings.stop_grace
    if limit is None and not settings.local and in_container(environment):
        limit = CONTAINER_STOP_GRACE
    needed = drain_seconds(settings)
    if limit is None or limit >= needed:
        return None
    origin = "" if settings.stop_grace is not None else " (assumed in a container)"
    return (
        f"the process is killed {limit:g} s after SIGTERM{origin}, a drain can take {needed:g} s: "
        "a task that a poll brings in between is lost until it times out"
    )


def in_container(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a container, as far as it shows."""
    return any(name in environment for name in _CONTAINER_VARIABLES) or any(file.exists() for file in _CONTAINER_FILES)
