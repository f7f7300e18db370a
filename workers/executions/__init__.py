"""Executions of state machines: started, awaited, stopped, redriven, listed, looked at.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.executions.control import redrive_execution as redrive_execution
    from workers.executions.control import stop_execution as stop_execution
    from workers.executions.execution import Execution as Execution
    from workers.executions.execution import ExecutionFailedError as ExecutionFailedError
    from workers.executions.execution import Status as Status
    from workers.executions.history import execution_history as execution_history
    from workers.executions.listing import list_executions as list_executions
    from workers.executions.start import start_execution as start_execution
    from workers.executions.waiting import describe_execution as describe_execution
    from workers.executions.waiting import wait_for_execution as wait_for_execution
    from workers.histories.event import Event as Event

_HOMES = {
    "Event": "workers.histories.event",
    "Execution": "workers.executions.execution",
    "ExecutionFailedError": "workers.executions.execution",
    "Status": "workers.executions.execution",
    "describe_execution": "workers.executions.waiting",
    "execution_history": "workers.executions.history",
    "list_executions": "workers.executions.listing",
    "redrive_execution": "workers.executions.control",
    "start_execution": "workers.executions.start",
    "stop_execution": "workers.executions.control",
    "wait_for_execution": "workers.executions.waiting",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.executions' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
