"""Leaving a process in which threads of handlers do not end."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

HANDLER_THREADS = "handler"
"""How the names of the threads begin in which handlers run."""


def handlers_run() -> bool:
    """Whether a thread still runs a handler, or waits to run one."""
    return any(thread.name.startswith(HANDLER_THREADS) for thread in threading.enumerate())


_last_words: list[Callable[[int], None]] = []


@contextmanager
def before_leaving(say: Callable[[int], None]) -> Iterator[None]:
    """If the process is left while this is entered, `say(exit code)` is called, because nothing will be unwound."""
    _last_words.append(say)
    try:
        yield
    finally:
        _last_words.remove(say)


def leave(code: int) -> NoReturn:
    """Ends the process at once, with what there is to say written out. The interpreter would wait for its threads.

    Of the last words, those of whoever entered last come first. Whatever fails, the process ends.
    """
    try:
        for say in reversed(_last_words):
            with suppress(Exception):
                say(code)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
