"""All operations by the name they have on the wire."""

from workers.local.operations import activities, executions, machines, tags, tasks, versions
from workers.local.operations.types import Operations

OPERATIONS: Operations = {
    **activities.OPERATIONS,
    **executions.OPERATIONS,
    **machines.OPERATIONS,
    **tags.OPERATIONS,
    **tasks.OPERATIONS,
    **versions.OPERATIONS,
}
