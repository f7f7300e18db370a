"""An engine at work on an event loop: its port, its clock, its regions."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web
from aiohttp.web_request import BaseRequest

from workers.errors import MissingExtraError, UsageError
from workers.local.clock import Clock, ManualClock, SkippingClock
from workers.local.harsh.bad_day import bad_day
from workers.local.options import ClockName, Options
from workers.local.region import Region
from workers.local.regions import Regions
from workers.local.server import Server
from workers.local.services import OtherServices

if TYPE_CHECKING:
    from workers.local.integrations.integrations import Stand
    from workers.local.store import Store

HOST = "127.0.0.1"
BACKLOG = 1_024
MOMENT = 0.01
"""Seconds that open requests get when the engine is left; aiohttp reads 0 as for ever."""

CLOCKS: dict[ClockName, type[Clock]] = {"real": Clock, "skip": SkippingClock, "manual": ManualClock}


class Serving(NamedTuple):
    """An engine that serves: where, and its clock."""

    url: str
    clock: Clock


@asynccontextmanager
async def serve(options: Options) -> AsyncIterator[Serving]:
    """Serves Step Functions on the running event loop while the context is open.

    Raises `UsageError` for a port that cannot be had or a mock configuration that is wrong, `MissingExtraError` where
    an extra is not installed.
    """
    if find_spec("jsonata") is None:
        raise MissingExtraError("the embedded Step Functions", "local")
    clock, stand = CLOCKS[options.clock](), _stand(options)
    store = _store(options)
    listener = _listen(options.port)
    port = listener.getsockname()[1]
    url = f"http://{HOST}:{port}"
    services = OtherServices(port)
    faults = bad_day(options.seed) if options.harsh else None
    new_region = partial(Region, clock=clock, poll_hold=options.poll_hold, keep=options.keep)
    regions = Regions(url, new_region, services, stand, delivered=faults.delivered if faults else list)
    server: Any = Server(services, regions, faults)
    runner = web.ServerRunner(
        web.Server(server, handler_cancellation=True, request_factory=_request, access_log=None, auto_decompress=False),
        shutdown_timeout=MOMENT,
    )
    services.open()
    try:
        if store:
            await regions.keep(store)
        await runner.setup()
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield Serving(url, clock)
    finally:
        if faults:
            faults.close()
        await regions.close()
        await runner.cleanup()
        await asyncio.to_thread(services.close)


def _store(options: Options) -> "Store | None":
    if options.data is None:
        return None
    from workers.local.store import Store

    return Store(Path(options.data))


def _stand(options: Options) -> "Stand | None":
    """What stands in the place of Lambda functions and of tasks; None where nothing does."""
    if not options.functions and options.mocks is None:
        return None
    from workers.local.integrations.integrations import Stand
    from workers.local.integrations.mocks import Mocks, load_mocks

    return Stand(options.functions, Mocks() if options.mocks is None else load_mocks(Path(options.mocks)))


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
