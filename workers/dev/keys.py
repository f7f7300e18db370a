"""Keys that are pressed while the loop runs, where there is a terminal."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Keys:
    """Calls `pressed` with each key, while `on()` is entered and not `off()`. Nothing happens without a terminal."""

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._terminal = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None

    @property
    def there(self) -> bool:
        """Whether there is a terminal."""
        return self._terminal is not None

    @contextmanager
    def on(self) -> Iterator[None]:
        """Listens. Keys are not shown, and need no Enter."""
        if self._terminal is None:
            yield
            return
        before = termios.tcgetattr(self._terminal)
        self._listen(self._terminal)
        try:
            yield
        finally:
            self._leave(self._terminal, before)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Leaves the terminal to somebody else, an editor for instance."""
        if self._terminal is None:
            yield
            return
        quiet = termios.tcgetattr(self._terminal)
        lines = [*quiet]
        lines[3] |= termios.ICANON | termios.ECHO
        self._leave(self._terminal, lines)
        try:
            yield
        finally:
            self._listen(self._terminal)

    def _listen(self, terminal: int) -> None:
        tty.setcbreak(terminal)
        asyncio.get_running_loop().add_reader(terminal, self._read, terminal)

    def _leave(self, terminal: int, mode: list[Any]) -> None:
        asyncio.get_running_loop().remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)

    def _read(self, terminal: int) -> None:
        try:
            read = os.read(terminal, 64)
        except OSError:  # the terminal is gone
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(terminal)
            self._pressed("q")
            return
        for key in read.decode(errors="ignore"):
            self._pressed(key)
