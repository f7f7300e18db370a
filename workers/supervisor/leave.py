"""Leaving a process in which threads of handlers do not end."""

import logging
import os
import sys
import threading
from typing import NoReturn

HANDLER_THREADS = "handler"
"""How the names of the threads begin in which handlers run."""


def handlers_run() -> bool:
    """Whether a thread still runs a handler, or waits to run one."""
    return any(thread.name.startswith(HANDLER_THREADS) for thread in threading.enumerate())


def leave(code: int) -> NoReturn:
    """Ends the process at once, with what it said so far written out. The interpreter would wait for its threads."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
