"""Where a handler is right now: the stack of a thread, or of an async task, as lines of text.

Only places in the code are shown, never values: values are payloads.
"""

import asyncio
import linecache
import sys
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from traceback import walk_stack
from types import FrameType
from typing import Any

_MACHINERY = ("workers", "interceptors", "asyncio", "anyio", "uvloop", "concurrent", "threading", "runpy", "selectors")
"""Packages whose frames around a handler say nothing about it."""
_KEPT = 3
"""Innermost lines shown where there is nothing but machinery."""


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
    shown = list(dropwhile(_is_machinery, every)) or every[-_KEPT:]
    return [_line(frame, number) for frame, number in shown]


def _is_machinery(place: tuple[FrameType, int]) -> bool:
    return str(place[0].f_globals.get("__name__")).partition(".")[0] in _MACHINERY


def _line(frame: FrameType, number: int) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, number, frame.f_globals).strip()
    return f"{code.co_filename}:{number} in {code.co_qualname}: {source}"
