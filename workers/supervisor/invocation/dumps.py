"""Where a handler in another process is right now: its interpreter's fault handler writes the stack to a pipe.

That works whatever the process does, also in the middle of C code. It shows places in the code, never values.
"""

import faulthandler
import linecache
import os
import re
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

DUMP_SIGNAL = signal.SIGUSR1
"""What makes a child write its stack: the signal that makes its parent show what all are doing."""

_LINE = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)
_FIRST = b"(most recent call first):\n"
"""How the first line of a dump ends."""
_LAST = (b'  File "<string>", line 1 in <module>\n', b"  ...\n")
"""The last line of a whole dump: where a spawned interpreter begins, or that there were too many frames."""
_AROUND_HANDLERS = str(Path(__file__).parent / "processes.py")
"""What calls the handler over there."""
_KEPT = 3


def dump_on_signal(pipe: Connection) -> None:
    """In the child: from now on the signal writes the stack of the main thread into `pipe`, or as much as fits."""
    os.set_blocking(pipe.fileno(), False)
    faulthandler.register(DUMP_SIGNAL, file=pipe.fileno(), all_threads=False)


def clear(pipe: Connection) -> None:
    """In the parent: forgets dumps that nobody has read."""
    while pipe.poll():
        if not os.read(pipe.fileno(), 65_536):
            return


def read_stack(pipe: Connection, until: float) -> list[str]:
    """The stack that the child writes into `pipe` by `until` (`time.monotonic()`), outermost first.

    The end of another dump may come before it, the beginning of which `clear` has read while the child wrote it.
    """
    dump = b""
    while not (_FIRST in dump and dump.endswith(_LAST)) and pipe.poll(max(0.0, until - time.monotonic())):
        if not (part := os.read(pipe.fileno(), 65_536)):
            break
        dump += part
    return _lines(dump.rpartition(_FIRST)[2].decode(errors="replace"))


def _lines(dump: str) -> list[str]:
    frames = [found.groupdict() for found in _LINE.finditer(dump)]
    frames.reverse()
    around = [index for index, frame in enumerate(frames) if frame["file"] == _AROUND_HANDLERS]
    handler = frames[around[-1] + 1 :] if around else []
    return [_line(**frame) for frame in handler or frames[-_KEPT:]]


def _line(file: str, line: str, function: str) -> str:
    return f"{file}:{line} in {function}: {linecache.getline(file, int(line)).strip()}"
