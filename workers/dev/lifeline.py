"""No child outlives the loop, however that ends."""

import ctypes
import os
import signal
import sys
import threading
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int, pipe: int) -> None:
    """Kills this process as soon as `parent` has ended. `pipe`: the end for reading of a pipe that only it writes to.

    On Linux the kernel does it; elsewhere, and where the kernel is not asked in time, a thread sees the pipe close.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(pipe,), name="lifeline", daemon=True).start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(1)
