"""The addresses of lists."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.web.lists import live, managed, unmanaged


async def start(request: Request) -> Response:
    """The page that a visit begins with."""
    kept = request.app.state.source.manager is not None
    return await (managed.start(request) if kept else unmanaged.start(request))


ROUTES = [
    Route("/", start, name="start"),
    Route("/workflows", managed.workflows, name="workflows"),
    Route("/executions", unmanaged.executions, name="executions"),
    Route("/changes/workflows", live.workflow_changes, name="workflow_changes"),
    Route("/changes/executions", live.execution_changes, name="execution_changes"),
]
