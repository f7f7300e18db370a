"""All operations by the name they have on the wire."""

from workers.local.operations import activities, executions, machines, map_runs, tags, tasks, trials, versions
from workers.local.operations.types import Operations

OPERATIONS: Operations = {
    **activities.OPERATIONS,
    **executions.OPERATIONS,
    **machines.OPERATIONS,
    **map_runs.OPERATIONS,
    **tags.OPERATIONS,
    **tasks.OPERATIONS,
    **trials.OPERATIONS,
    **versions.OPERATIONS,
}
