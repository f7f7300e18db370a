"""An S3 that fails on demand: real HTTP, and faults that a real one only shows on bad days."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiobotocore.session import get_session
from aiohttp import web

SESSION = get_session()
"""Shared, because each session reads the description of S3 anew."""
ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"


@dataclass
class Stub:
    """Objects by path; `faults` are taken from its front, one for each request. One that gives None is none."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: list[Callable[[web.Request], "web.StreamResponse | None"] | None] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        self.headers.append(dict(request.headers))
        body = await request.read()
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            response = fault(request)
            if asyncio.iscoroutine(response):
                response = await response
            if response is not None:
                return response
        if request.method == "PUT" and "uploadId" in request.query:
            self.uploads[request.query["uploadId"]][int(request.query["partNumber"])] = body
            return web.Response(headers={"ETag": f'"{request.query["partNumber"]}"'})
        if request.method == "PUT":
            self.objects[request.path] = body
            return web.Response(headers={"ETag": '"x"'})
        if request.method == "POST" and "uploads" in request.query:
            upload = f"upload-{len(self.uploads)}"
            self.uploads[upload] = {}
            return web.Response(
                text=f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
        if request.method == "POST" and "uploadId" in request.query:
            parts = self.uploads.pop(request.query["uploadId"])
            self.objects[request.path] = b"".join(parts[number] for number in sorted(parts))
            return web.Response(text="<CompleteMultipartUploadResult/>")
        if request.method == "DELETE" and "uploadId" in request.query:
            self.uploads.pop(request.query["uploadId"])
            return web.Response(status=204)
        data = self.objects.get(request.path)
        if data is None:
            return refused(404, "NoSuchKey")(request)
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        return web.Response(body=data[start:], status=206 if start else 200)

    def options(self) -> dict:
        return {
            "endpoint_url": self.url,
            "key": "test",
            "secret": "test",
            "client_kwargs": {"region_name": "us-east-1"},
            "session": SESSION,
        }


def refused(status: int, code: str, message: str = "said by the stub") -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(
        status=status, text=ERROR.format(code=code, message=message), content_type="application/xml"
    )


def cut_after(size: int, data: bytes) -> Callable:
    """Begins to answer with `data` and hangs up after `size` bytes of it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        response = web.StreamResponse(status=206 if start else 200, headers={"Content-Length": str(len(data) - start)})
        await response.prepare(request)
        await response.write(data[start : start + size])
        await asyncio.sleep(0.05)  # so that what was written arrives before the connection is gone
        request.transport.abort()
        return response

    return answer


def hang_up(request: web.Request) -> web.StreamResponse:
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def s3_stub() -> AsyncIterator[Stub]:
    stub = Stub()
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()
