"""Whether an execution can be redriven, and why not (API reference, DescribeExecution and RedriveExecution)."""

from workers.local.executions import RUNNING, SUCCEEDED, Execution
from workers.local.map_runs import MapRun
from workers.local.region import Region

PERIOD = 14 * 86_400.0
"""Seconds after its end in which an execution can be redriven."""
LONGEST = 365 * 86_400.0
"""Seconds after its start in which an execution can be redriven."""


def refusal(region: Region, execution: Execution) -> str | None:
    """Why an execution, or a child of a map run with its parent, cannot be redriven; None if it can."""
    machine, now = region.machines.find(execution.machine_arn), region.clock.now()
    parent = execution if execution.map_run is None else region.map_run(execution.map_run).execution
    if execution.status in (RUNNING, SUCCEEDED):
        return f"Execution is {execution.status} and cannot be redriven"
    if machine is None or machine.created > execution.started:
        return "State machine is in DELETING status"
    if execution.full:
        return "Execution history event limit exceeded"
    if now - execution.started > LONGEST:
        return "Execution has exceeded the max execution time"
    if parent.stopped is not None and now - parent.stopped > PERIOD:
        return "Execution redrivable period exceeded"
    return None


def lost(region: Region, map_run: MapRun) -> set[int]:
    """The numbers of the batches of a map run that were not successful and cannot be redriven."""
    ended = {number: child for number, child in map_run.children.items() if child.status not in (RUNNING, SUCCEEDED)}
    return {number for number, child in ended.items() if refusal(region, child)}
