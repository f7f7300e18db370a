"""Where a handler is right now: the stack of a thread, or of an async task, as lines of text.

Only places in the code are shown, never values: values are payloads.
"""

import asyncio
import linecache
import sys
from collections.abc import Iterable, Iterator
from traceback import walk_stack
from types import FrameType
from typing import Any

_AROUND_HANDLERS = ("workers.supervisor", "interceptors")
"""Where the frames around a handler come from; what follows them is the handler."""
_AROUND_CALLBACKS = ("asyncio.runners", "asyncio.base_events", "asyncio.events")
"""Where those around any other call in an event loop come from."""
_KEPT = 3
"""Innermost lines shown where nothing follows."""


def stack_of_thread(ident: int) -> list[str]:
    """The stack of the running thread `ident`, outermost first; empty when it has ended."""
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way to another thread's stack
    return _lines(reversed(list(walk_stack(frame)))) if frame else []


def stack_of_task(task: "asyncio.Task[Any]", loop_thread: int) -> list[str]:
    """The stack of an async task of the event loop in thread `loop_thread`, through all that it awaits."""
    coroutine: Any = task.get_coro()
    if getattr(coroutine, "cr_running", False):
        return stack_of_thread(loop_thread)
    return _lines(_awaited(coroutine))


def _awaited(coroutine: Any) -> Iterator[tuple[FrameType, int]]:
    while coroutine is not None:
        if frame := getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None):
            yield frame, frame.f_lineno
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def _lines(frames: Iterable[tuple[FrameType, int]]) -> list[str]:
    every = list(frames)
    first = _after(every, _AROUND_HANDLERS) or _after(every, _AROUND_CALLBACKS)
    return [_line(frame, number) for frame, number in every[first:] or every[-_KEPT:]]


def _after(frames: list[tuple[FrameType, int]], packages: tuple[str, ...]) -> int:
    """The index that follows the innermost frame of `packages`; 0 where there is none."""
    inside = [index for index, (frame, _) in enumerate(frames) if _module(frame).startswith(packages)]
    return inside[-1] + 1 if inside else 0


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


def _line(frame: FrameType, number: int) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, number, frame.f_globals).strip()
    return f"{code.co_filename}:{number} in {code.co_qualname}: {source}"
