"""The address of the page about workers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.manager.model import Query, Sort, Status
from workers.web.here import account_here, recent_here
from workers.web.lists.unmanaged import sample
from workers.web.rendering import render
from workers.web.source import Source
from workers.web.workers.health import ask
from workers.web.workers.polls import Looked, read

_RUNNING, _ENDED = 50, 30
"""Executions whose histories are read: those that run, and those that ended last."""
_FRESH = 3.0


async def workers(request: Request) -> Response:
    """Who polls what, what waits, and what workers tell themselves."""
    source: Source = request.app.state.source
    recent = recent_here(request)
    looked = await _executions(request)
    polled = await recent.get("polled", _FRESH, lambda: read(account_here(request), recent, looked))
    told = await recent.get("health", _FRESH, lambda: ask(source.health))
    return render(
        request,
        "workers/workers.html",
        polled=polled,
        told=told,
        read=len(looked),
        running=sum(one.running for one in looked),
    )


async def _executions(request: Request) -> list[Looked]:
    """Those that run, and those that ended last."""
    source: Source = request.app.state.source
    if source.manager is None:
        _, found = await sample(request)
        looked = [Looked(one.arn, not one.status.ended, one.redrives) for one in found.items]
    else:
        going = Query(status=(Status.RUNNING,), sort=Sort.LAST_UPDATED, limit=_RUNNING)
        ended = Query(status=(Status.SUCCEEDED, Status.FAILED), sort=Sort.LAST_UPDATED, limit=_ENDED)
        pages = [await source.manager.workflows(going), await source.manager.workflows(ended)]
        looked = [
            Looked(one.execution_arn, not one.status.terminal, one.redrive_count)
            for page in pages
            for one in page.items
            if one.execution_arn
        ]
    running = [one for one in looked if one.running][:_RUNNING]
    return running + [one for one in looked if not one.running][:_ENDED]


ROUTES = [Route("/workers", workers, name="workers")]
