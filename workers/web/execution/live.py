"""The stream of one execution: how it stands with each state, whenever that has changed."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio

from workers.stepfunctions.protocol import ServiceError
from workers.web.execution.followed import Followed
from workers.web.execution.words import note, state_word, ways_taken

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that nothing on the way closes the connection."""
_END = "event: end\ndata: {}\n\n"
_PATIENCE = 5.0
"""Seconds until Step Functions is asked again after it has not answered."""


def standing(followed: Followed) -> dict[str, Any]:
    """How the execution stands: its status, and of each state that it has entered a word and a note."""
    progress = followed.progress
    return {
        "status": followed.execution.status,
        "events": len(followed.events),
        "ended": followed.ended,
        "states": {name: [state_word(state), note(state)] for name, state in progress.states.items()},
        "taken": sorted(ways_taken(progress)),
    }


async def stream(followed: Followed, stopping: anyio.Event) -> AsyncIterator[str]:
    """Server-sent events `standing`, each with what is new in `standing()`; `end` when nothing more will come."""
    yield "retry: 2000\n\n"
    sent: dict[str, Any] = {}
    states: dict[str, Any] = {}
    silent = 0.0
    while not stopping.is_set():
        more, pause = await _look(followed), followed.interval
        now = standing(followed)
        if now != sent:
            changed = {name: state for name, state in now["states"].items() if states.get(name) != state}
            yield f"event: standing\ndata: {json.dumps({**now, 'states': changed}, separators=(',', ':'))}\n\n"
            sent, states, silent = now, now["states"], 0.0
        if now["ended"]:
            yield _END
            return
        if more is None:
            pause = _PATIENCE
        silent += pause
        if silent > _BEAT:
            yield ": still here\n\n"
            silent = 0.0
        if not more:
            with anyio.move_on_after(pause):
                await stopping.wait()


async def _look(followed: Followed) -> bool | None:
    """Reads for at most an interval; whether there is more. None where Step Functions does not answer now."""
    until = time.monotonic() + followed.interval
    try:
        while await followed.look():
            if time.monotonic() > until:
                return True
        return False
    except ServiceError:
        return None
