"""The addresses of the page of one execution. The ARN stands last: those of children of a Map run hold slashes."""

import json
import time
from typing import Any

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from workers.histories.visits import Visit
from workers.payloads.errors import PayloadError
from workers.web.actions.commands import replay
from workers.web.execution.followed import Followed
from workers.web.execution.kept import is_kept
from workers.web.execution.live import stream
from workers.web.execution.picture import picture
from workers.web.execution.step import Step, step_of
from workers.web.execution.tabs import tab
from workers.web.execution.values import claims_in, failure_of, text_of
from workers.web.execution.view import View
from workers.web.execution.words import culprit, telling
from workers.web.rendering import render
from workers.web.source import Source

_PATIENCE = 0.15
"""Seconds for which a page waits for the history; what is not known then comes through the stream."""
_AHEAD = 2.0
"""Seconds for which the history is read on behind a page, until its browser follows the stream."""
_SHOWN = 1_000_000
"""Characters of a payload that are shown, at most."""


async def execution(request: Request) -> Response:
    """The page, or the parts of it that a script asks for."""
    followed, view = await _opened(request), View.of(request.query_params)
    await _read(followed, view)
    found = followed.execution
    values: dict[str, Any] = {
        "followed": followed,
        "execution": found,
        "view": view,
        "machine": found.state_machine.rpartition(":")[2].partition("/")[0],
        "claims_in": claims_in,
        "text_of": text_of,
        "picture": None,
    }
    if view.wants("head"):
        values["kept"] = await is_kept(request, found)
    if view.wants("picture") and followed.chart:
        title, is_item = f"State machine of {found.name}", "/" in found.state_machine or "/" in found.arn
        values["picture"] = picture(followed.chart, followed.progress, view, title=title, is_item=is_item)
        values["names"] = [box.name for box, _ in followed.chart.walk()]
    if view.wants("panel"):
        values |= await _panel(followed, view)
    if view.wants("tab"):
        values |= await tab(followed, view)
        values["definition"] = json.loads(followed.definition) if followed.definition else ""
    page = render(request, "execution/page.html", **values)
    if not view.parts:  # who asks for parts follows the stream, which reads
        page.background = BackgroundTask(followed.read_on, _AHEAD, request.app.state.stopping)
    return page


async def live(request: Request) -> Response:
    """The stream of what changes."""
    followed = await _opened(request)
    events = stream(followed, request.app.state.stopping)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def payload(request: Request) -> Response:
    """The payload behind a claim in an input or an output: loaded only from the store that is configured."""
    followed, query = await _opened(request), request.query_params
    source: Source = request.app.state.source
    if source.payloads is None:
        raise HTTPException(404, "no payload store is configured here: start the page with --payloads")
    document = await _document(followed, query.get("of", ""), query.get("visit"))
    claim = next((one for one in claims_in(document) if one.place == query.get("place")), None)
    if claim is None:
        raise HTTPException(404, "there is no such claim")
    try:
        loaded, problem = await source.payloads.reload(claim.claim.to_json()), ""
    except PayloadError as error:
        loaded, problem = None, str(error)
    text = json.dumps(loaded, indent=2, ensure_ascii=False, default=str)
    return render(request, "execution/payload.html", text=text[:_SHOWN], cut=len(text) > _SHOWN, problem=problem)


async def _opened(request: Request) -> Followed:
    """The execution that a request names, described anew."""
    found: Followed = request.app.state.following[request.path_params["arn"]]
    await found.open()
    return found


async def _read(followed: Followed, view: View) -> None:
    """Reads the history: for a moment, or until what the view shows is known."""
    begun = time.monotonic()
    while await followed.look():
        known = view.visit is None or view.visit <= followed.progress.last
        if known and time.monotonic() - begun > _PATIENCE:
            return


async def _panel(followed: Followed, view: View) -> dict[str, Any]:
    step = await _step(followed, view)
    found = followed.execution
    return {
        "step": step,
        "replay": replay(followed.account, followed.arn, step.visit.state) if step and step.is_replayed else None,
        "missing": step is None and view.state is not None,
        "failure": failure_of({"error": found.error, "cause": found.cause}),
        "culprit": culprit(followed.progress),
    }


async def _step(followed: Followed, view: View) -> Step | None:
    state = followed.progress.states.get(view.state) if view.state is not None else None
    if state is None:
        return None
    visit = next((one for one in state.visits if one.id == view.visit), None)
    return await step_of(followed, visit or telling(state.visits))


async def _document(followed: Followed, name: str, visit: str | None) -> Any:
    """The input or the output of a step, or without `visit` of the execution."""
    if visit is None:
        return followed.execution.output if name == "output" else followed.execution.input
    found = _visit(followed, visit)
    if found is None:
        raise HTTPException(404, "there is no such step")
    step = await step_of(followed, found)
    document = step.output if name == "output" else step.input
    return document if step.has_output or name != "output" else None


def _visit(followed: Followed, number: str) -> Visit | None:
    visits = (visit for state in followed.progress.states.values() for visit in state.visits)
    return next((visit for visit in visits if str(visit.id) == number), None)


ROUTES = [
    Route("/executions/{arn:path}", execution, name="execution"),
    Route("/live/{arn:path}", live, name="live"),
    Route("/payloads/{arn:path}", payload, name="payload"),
]
