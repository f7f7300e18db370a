"""A fast stand-in for S3 that keeps objects in memory: the yardstick for payload stores, not an S3.

    python benchmarks/s3_stub.py [MILLISECONDS]      prints its port, serves until stdin closes

It knows PutObject, GetObject, HeadObject and multipart uploads, answers each after MILLISECONDS, and checks no
signature. Every stream under `zeros-N/` has N zero bytes, and parts of an upload are only counted, so
that a gigabyte costs it nothing.
"""

import asyncio
import re
import sys
from typing import ClassVar

OK = b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\netag: "x"\r\n%s\r\n'
MISSING = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
STARTED = b"<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
COMPLETED = b"<CompleteMultipartUploadResult/>"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ZEROS = re.compile(rb"/zeros-(\d+)/.*stream-")
CHUNK = bytes(1 << 20)


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    objects: ClassVar[dict[bytes, bytes]] = {}
    delay: ClassVar[float] = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received = bytearray()
        self.head: bytes | None = None
        self.missing = 0
        self.parts: list[bytes] = []
        self.free = asyncio.Event()
        self.free.set()

    def pause_writing(self) -> None:
        self.free.clear()

    def resume_writing(self) -> None:
        self.free.set()

    def data_received(self, data: bytes) -> None:
        if self.head is None:
            self.received += data
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = bytes(self.received[:end])
            data = bytes(self.received[end + 4 :])
            self.received.clear()
            length = LENGTH.search(self.head)
            self.missing = int(length[1]) if length else 0
            if b"100-continue" in self.head:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.missing -= len(data)
        if b"partNumber=" not in self.head:
            self.parts.append(data)
        if self.missing <= 0:
            head, body = self.head, b"".join(self.parts)
            self.head, self.parts = None, []
            asyncio.get_running_loop().call_later(self.delay, self.answer, head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        method, target = head.split(b" ", 2)[:2]
        path, _, query = target.partition(b"?")
        if method == b"PUT":
            if not query.startswith(b"partNumber"):
                self.objects[path] = body
            self.send(b"")
        elif method == b"POST":
            self.send(STARTED if query.startswith(b"uploads") else COMPLETED, b"content-type: application/xml\r\n")
        elif zeros := ZEROS.search(path):
            self.sending = asyncio.ensure_future(self.send_zeros(int(zeros[1])))
        elif (found := self.objects.get(path)) is None:
            self.transport.write(MISSING)
        elif method == b"HEAD":
            self.transport.write(OK % (len(found), b""))
        else:
            self.send(found)

    def send(self, body: bytes, headers: bytes = b"") -> None:
        self.transport.write(OK % (len(body), headers))
        self.transport.write(body)

    async def send_zeros(self, number: int) -> None:
        self.transport.write(OK % (number, b""))
        for start in range(0, number, len(CHUNK)):
            self.transport.write(CHUNK[: number - start])
            await self.free.wait()


async def main() -> None:
    Connection.delay = float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
