"""Lists that say when they have changed: server-sent events without data, on which a page looks at itself again."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio
from starlette.requests import Request
from starlette.responses import StreamingResponse

from workers.stepfunctions.protocol import ServiceError
from workers.web.here import manager_here
from workers.web.lists.asked import Asked
from workers.web.lists.unmanaged import AskedRaw, fingerprint, known_machines, listed, sample

if TYPE_CHECKING:
    from workers.manager.changes import Changes

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that nothing on the way closes the connection."""
_TOGETHER = 0.25
"""Seconds for which changes are gathered: a page that looks again sees all of them."""
_EVERY = 2.0
"""Seconds between two looks at executions."""
_CHANGED = "event: changed\ndata:\n\n"
_HELLO = "retry: 2000\n: listening\n\n"


async def workflow_changes(request: Request) -> StreamingResponse:
    """Changes of the workflows that a list is about; the address has its filters."""
    changes = manager_here(request).recent_changes
    return _stream(_managed(changes, Asked.of(request.query_params), request.app.state.stopping))


async def execution_changes(request: Request) -> StreamingResponse:
    """Changes of the executions that a list is about; without `list` in the address, of the start page."""
    return _stream(_raw(request, request.app.state.stopping))


async def _managed(changes: "Changes", asked: Asked, stopping: anyio.Event) -> AsyncIterator[str]:
    yield _HELLO
    async with changes.listen() as news:
        while not stopping.is_set():
            changed = False
            with anyio.move_on_after(_BEAT):
                try:
                    changed = asked.concerns(await news.receive())
                    await anyio.sleep(_TOGETHER)
                    while True:
                        changed |= asked.concerns(news.receive_nowait())
                except anyio.WouldBlock:
                    pass
                except anyio.EndOfStream:
                    return
            yield _CHANGED if changed else ": still here\n\n"


async def _raw(request: Request, stopping: anyio.Event) -> AsyncIterator[str]:
    yield _HELLO
    before: int | None = None
    asked = AskedRaw(request) if "list" in request.query_params else None
    while not stopping.is_set():
        try:
            found = await listed(request, asked, await known_machines(request)) if asked else (await sample(request))[1]
        except ServiceError:
            yield ": Step Functions does not answer\n\n"
        else:
            now = fingerprint(found.items)
            yield ": still here\n\n" if before in {None, now} else _CHANGED
            before = now
        with anyio.move_on_after(_EVERY):
            await stopping.wait()


def _stream(events: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
