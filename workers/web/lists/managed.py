"""Lists of the manager's workflows, and the page that a visit begins with where there is a manager."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from workers.manager.errors import InvalidPageTokenError
from workers.manager.model import Count, Page, Query, Sort, Status
from workers.web.here import manager_here, recent_here
from workers.web.lists.asked import Asked, Order
from workers.web.lists.plots import Plots, Span, by_definition, plots_of
from workers.web.rendering import render

if TYPE_CHECKING:
    from workers.manager.manager import LocalManager

_SHOWN = 10
"""Workflows in each list of the start page."""
_PLOTS = 30
"""Definitions that have a plot on the start page."""
_PATIENCE = 0.04
"""Seconds for which the start page waits for its plots; what takes longer, its script asks for again."""
COUNTED = 2.0
"""Seconds for which counts are shown as they were."""
SPANS = {
    "day": Span(timedelta(hours=1), 24, "24 hours", stays=5),
    "week": Span(timedelta(hours=6), 28, "7 days", stays=60),
    "month": Span(timedelta(days=1), 30, "30 days", stays=300),
}


async def start(request: Request) -> Response:
    """What somebody should look at, what runs, and how it went lately."""
    manager, recent = manager_here(request), recent_here(request)
    name = request.query_params.get("span", "day")
    span = SPANS.get(name, SPANS["day"])
    counts = await recent.get("counts", COUNTED, manager.counts)
    reading = recent.soon(("plots", span), span.stays, lambda: _plots(manager, span), patience=_PATIENCE)
    plots, is_fresh = await reading
    bad = await manager.workflows(Query(status=(Status.FAILED,), resolved_by_user=False, limit=_SHOWN))
    going = Query(status=(Status.QUEUED, Status.RUNNING), limit=_SHOWN, sort=Sort.LAST_UPDATED)
    return render(
        request,
        "lists/start.html",
        numbers=numbers(counts),
        bad=bad.items,
        going=(await manager.workflows(going)).items,
        plots=plots,
        is_fresh=is_fresh,
        spans=SPANS,
        span=span,
    )


async def _plots(manager: "LocalManager", span: Span) -> Plots:
    since = span.since(datetime.now(UTC))
    return plots_of(by_definition(await manager.store.tallies(since, span.step)), span, since, most=_PLOTS)


async def workflows(request: Request) -> Response:
    """A page of workflows."""
    manager, recent = manager_here(request), recent_here(request)
    asked = Asked.of(request.query_params)
    problems = list(asked.problems)
    try:
        page = await manager.workflows(asked.query())
    except InvalidPageTokenError as error:
        problems.append(str(error))
        page = Page(items=())
    counts = await recent.get("counts", COUNTED, manager.counts)
    return render(
        request,
        "lists/workflows.html",
        asked=asked,
        page=page,
        problems=problems,
        definitions=sorted({count.workflow_definition_name for count in counts}),
        known=_known(asked, counts),
        statuses=list(Status),
        orders=list(Order),
    )


def numbers(counts: Iterable[Count]) -> dict[str, int]:
    """How many workflows have each status, and how many are to be looked at."""
    found: Counter[str] = Counter(dict.fromkeys(map(str, Status), 0))
    for count in counts:
        found[str(count.status)] += count.count
        if count.status is Status.FAILED and not count.resolved_by_user:
            found["unresolved"] += count.count
    return found


def _known(asked: Asked, counts: list[Count]) -> int | None:
    """How many workflows a list has, where that is known without counting them."""
    if asked.text or asked.namespace or asked.queue or asked.after or asked.before:
        return None
    return sum(
        count.count
        for count in counts
        if asked.definition in {"", count.workflow_definition_name}
        and (not asked.status or count.status in asked.status)
        and not (asked.unresolved and count.resolved_by_user)
    )
