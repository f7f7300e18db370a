"""Whether an execution is that of a workflow, which the manager keeps."""

from starlette.requests import Request

from workers.executions.execution import Execution
from workers.manager.errors import NotFoundError, UnavailableError
from workers.web.here import recent_here
from workers.web.source import Source

_STAYS = 60.0
"""Seconds for which an answer is known: a workflow is kept before its execution starts, and forgotten long after."""


async def is_kept(request: Request, execution: Execution) -> bool:
    """Whether what is done with it is done by its workflow; never where no manager is.

    While the store does not answer, it may be: nothing is done past the manager.
    """
    source: Source = request.app.state.source
    manager = source.manager
    if manager is None:
        return False

    async def read() -> bool:
        try:
            workflow = await manager.store.workflow(execution.name)
        except NotFoundError:
            return False
        # A nested execution may have the same name. Until its start is written down, a workflow knows no execution.
        return workflow.execution_arn in {None, execution.arn}

    try:
        return await recent_here(request).get(("kept", execution.arn), _STAYS, read)
    except UnavailableError:
        return True
