"""The face of the embedded Step Functions: one class, and the process behind `workers local`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.web_request import BaseRequest
from anyio import CancelScope, to_thread
from anyio.from_thread import start_blocking_portal

from workers.errors import MissingExtraError, UsageError
from workers.settings import LOCAL_REGION

HOST = "127.0.0.1"
POLL_HOLD = 60.0
"""Seconds for which GetActivityTask waits for a task (API reference)."""
LONGEST_HOLD = 3_600.0
BACKLOG = 1_024
MOMENT = 0.01
"""Seconds that open requests get when the engine is left; aiohttp reads 0 as for ever."""
KEEP = 1_000
"""Finished executions that are remembered."""


@asynccontextmanager
async def serve(
    *, port: int = 0, poll_hold: float = POLL_HOLD, keep: int = KEEP, harsh: bool = False, seed: int | None = None
) -> AsyncIterator[str]:
    """Serves Step Functions on the running event loop while the context is open; gives the URL.

    `port` 0 takes a free one. `harsh`: as AWS on a bad day, the same for the same `seed`. Raises `UsageError` for a
    port that cannot be had or a number that makes no sense, `MissingExtraError` without moto.
    """
    if not 0 <= poll_hold <= LONGEST_HOLD:
        raise UsageError(f"a poll cannot be held for {poll_hold} seconds: choose 0 to {LONGEST_HOLD:.0f}")
    if keep < 0:
        raise UsageError(f"{keep} finished executions cannot be kept: choose 0 or more")
    try:
        from workers.local.harsh.bad_day import bad_day
        from workers.local.region import Region
        from workers.local.server import Server
        from workers.local.services import OtherServices
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the embedded Step Functions", "local") from error
    listener = _listen(port)
    port = listener.getsockname()[1]
    services = OtherServices(port)
    faults = bad_day(seed) if harsh else None
    server = Server(services, lambda place: Region(place, poll_hold=poll_hold, keep=keep), faults)
    runner = web.ServerRunner(
        web.Server(
            server,
            handler_cancellation=True,
            request_factory=_request,
            access_log=None,
            auto_decompress=False,
        ),
        shutdown_timeout=MOMENT,
    )
    services.open()
    try:
        await runner.setup()
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield f"http://{HOST}:{port}"
    finally:
        server.close()
        await runner.cleanup()
        await asyncio.to_thread(services.close)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> BaseRequest:
    loop = asyncio.get_running_loop()
    return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)  # S3 objects may be large


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(
            f"port {port} of {HOST} cannot be used: {error}. Choose another, or 0 for a free one"
        ) from None
    return listener


def environment(url: str) -> dict[str, str]:
    """The variables with which the AWS SDKs and the AWS CLI talk to the engine at `url`."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": LOCAL_REGION,
        "AWS_DEFAULT_REGION": LOCAL_REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        # StartSyncExecution would go to http://sync-127.0.0.1
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


class LocalStepFunctions:
    """Step Functions with activities, and the services that moto plays, on a port of this machine.

        async with LocalStepFunctions() as local:
            client = boto3.client("stepfunctions", endpoint_url=local.url)

    It serves from a thread with an event loop of its own: clients that block work as well as asynchronous ones.
    Several may follow one another or run side by side in one process; each knows nothing of the state machines,
    activities and executions of another. `poll_hold`: seconds for which a poll is held. `keep`: finished
    executions that are remembered. `harsh`: it behaves as AWS on a bad day, the same for the same `seed`: throttled
    requests, lost answers, changes that are seen late, polls that swallow a task. Entering raises `UsageError` for a
    port that cannot be had or a number that makes no sense, and `MissingExtraError` when moto is not installed.
    """

    url: str
    """http://127.0.0.1:PORT, from the moment the context is entered."""

    def __init__(
        self,
        *,
        port: int = 0,
        poll_hold: float = POLL_HOLD,
        keep: int = KEEP,
        harsh: bool = False,
        seed: int | None = None,
    ) -> None:
        self._serve = partial(serve, port=port, poll_hold=poll_hold, keep=keep, harsh=harsh, seed=seed)
        self._exit = ExitStack()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """The variables with which the AWS SDKs and the AWS CLI talk to this engine."""
        return environment(self.url)

    async def __aenter__(self) -> Self:
        await to_thread.run_sync(self._start)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with CancelScope(shield=True):
            await to_thread.run_sync(self._exit.close)

    def _start(self) -> None:
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal(name="embedded Step Functions"))
            self.url = stack.enter_context(portal.wrap_async_context_manager(self._serve()))
            self._exit = stack.pop_all()
