"""The addresses of the page of one execution. The ARN stands last: those of children of a Map run hold slashes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.web.execution.followed import Followed
from workers.web.rendering import render


async def execution(request: Request) -> Response:
    """The page."""
    followed = await opened(request)
    return render(request, "execution/page.html", followed=followed, execution=followed.execution)


async def opened(request: Request) -> Followed:
    """The execution that a request names, described anew."""
    found: Followed = request.app.state.following[request.path_params["arn"]]
    await found.open()
    return found


ROUTES = [
    Route("/executions/{arn:path}", execution, name="execution"),
]
