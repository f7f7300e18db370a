"""What a command writes: passed on as it comes, while the last line or the end of it is kept."""

from typing import BinaryIO

import anyio
import anyio.to_thread
import structlog

log = structlog.get_logger(__name__)

LINE_LIMIT = 16 * 2**20
"""Bytes of a last line that are kept: far more than a result may have, far less than a process."""
_MARK = "[truncated] "
_HELD = 65_536
"""Bytes of an unfinished line that are held back, so that lines of several commands do not mix."""


class LastLine:
    """The last line of a stream that is not blank, of which at most `LINE_LIMIT` bytes and one are kept."""

    def __init__(self) -> None:
        self._finished = b""
        self._open = bytearray()

    def add(self, data: bytes) -> None:
        """The stream goes on with `data`."""
        head, newline, rest = data.rpartition(b"\n")
        if newline:
            block = (self._open + head).rstrip()
            if block:
                self._finished = bytes(block.rpartition(b"\n")[2][: LINE_LIMIT + 1])
            self._open.clear()
        self._open += rest[: LINE_LIMIT + 1 - len(self._open)]

    def line(self) -> bytes:
        """The line, without blanks around it; empty where nothing was written."""
        return bytes(self._open.strip()) or self._finished.strip()

    @property
    def too_long(self) -> bool:
        """Whether the line has more than `LINE_LIMIT` bytes, and what is kept is only its begin."""
        return len(self.line()) > LINE_LIMIT


class Tail:
    """The end of a stream: its last `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = False

    def add(self, data: bytes) -> None:
        """The stream goes on with `data`."""
        self._kept += data
        if len(self._kept) > 2 * self._limit:
            del self._kept[: -self._limit]
            self._cut = True

    def text(self, *, room: int) -> str:
        """At most `room` bytes of UTF-8 from the end, without blanks around it, whole characters; marked when cut."""
        encoded = self._kept.decode(errors="replace").strip().encode()
        if not self._cut and len(encoded) <= room:
            return encoded.decode()
        return _MARK + encoded[max(0, len(encoded) - (room - len(_MARK))) :].decode(errors="ignore")


class Passing:
    """Passes a command's stream on, whole lines at a time, and keeps what `keep` keeps.

    `writing` lets one writer through: in a thread, because what reads our own stdout may be slow.
    """

    def __init__(self, target: BinaryIO, writing: anyio.CapacityLimiter, keep: LastLine | Tail) -> None:
        self._target = target
        self._writing = writing
        self._keep = keep
        self._held = bytearray()

    async def take(self, data: bytes) -> None:
        """The command wrote `data`."""
        self._keep.add(data)
        self._held += data
        cut = self._held.rfind(b"\n") + 1 or (len(self._held) if len(self._held) > _HELD else 0)
        if cut:
            lines = bytes(self._held[:cut])
            del self._held[:cut]
            await self._write(lines)

    async def end(self) -> None:
        """The command has closed its stream: an unfinished line is finished."""
        if self._held:
            await self._write(bytes(self._held) + b"\n")
            self._held.clear()

    async def _write(self, lines: bytes) -> None:
        def write() -> None:
            self._target.write(lines)
            self._target.flush()

        try:
            await anyio.to_thread.run_sync(write, limiter=self._writing)
        except (OSError, ValueError) as error:  # ours is closed or full: the command must not suffer
            log.warning("output of a command not passed on", error=str(error))
