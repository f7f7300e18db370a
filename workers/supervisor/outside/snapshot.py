"""What a worker is doing now, for `/tasks` and SIGUSR1: ids, ages and stacks; no payload and no token."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog

from workers.supervisor.outside.stacks import stack_of_task, stack_of_thread
from workers.supervisor.outside.status import Running, Status

log = structlog.get_logger(__name__)

_ANSWER_WITHIN = 1.0
"""Seconds in which all processes together must say where they are: one that is stopped says nothing."""
_asking = threading.Lock()


def snapshot(status: Status, loop_thread: int) -> dict[str, Any]:
    """JSON-ready: worker, phase, and one object for each running task, the oldest first. Times are seconds."""
    running = sorted(status.running, key=lambda run: run.started)
    with _asking:
        for process in [run.process for run in running]:
            if process:
                process.ask_stack()
        now = time.monotonic()
        tasks = [_shown(run, now, loop_thread) for run in running]
    return {"worker": status.worker, "phase": status.phase, "tasks": tasks}


def log_snapshot(status: Status, loop_thread: int) -> None:
    """Logs the same: one line for the worker and one for each task."""
    shown = snapshot(status, loop_thread)
    log.info("snapshot", worker=shown["worker"], phase=shown["phase"], tasks=len(shown["tasks"]))
    for task in shown["tasks"]:
        log.info("running task", **{**task, "stack": as_logged(task["stack"])})


def as_logged(stack: Sequence[str]) -> str | None:
    """A stack in a log line: one text, as structlog's renderers for terminals want it."""
    return "\n".join(stack) or None


def _shown(run: Running, now: float, loop_thread: int) -> dict[str, Any]:
    task = run.task
    return {
        "activity": run.activity.name,
        "task": run.label,
        "execution": task.execution if task else None,
        "state": task.state if task else None,
        "attempt": task.attempt if task else None,
        "age": round(now - run.started, 3),
        "last_beat": None if run.last_beat is None else round(now - run.last_beat, 3),
        "cancelled": run.cancel_reason,
        "stack": _stack(run, now + _ANSWER_WITHIN, loop_thread),
    }


def _stack(run: Running, until: float, loop_thread: int) -> list[str]:
    if (process := run.process) and (found := process.stack(until)):
        return found
    if (thread := run.thread_id) and (found := stack_of_thread(thread)):
        return found
    return stack_of_task(run.worked_on, loop_thread) if run.worked_on else []
