"""An engine at work on an event loop: its port, its clock, its regions."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workers.errors import MissingExtraError, UsageError
from workers.local.clock import Clock, ManualClock, SkippingClock
from workers.local.harsh.bad_day import bad_day
from workers.local.harsh.buckets import Transitions
from workers.local.http.listening import BACKLOG, answering
from workers.local.options import ClockName, Options
from workers.local.region import Region
from workers.local.regions import Regions
from workers.local.server import Server
from workers.local.services import OtherServices

if TYPE_CHECKING:
    from workers.local.integrations.integrations import Stand
    from workers.local.store import Store

HOST = "127.0.0.1"

CLOCKS: dict[ClockName, type[Clock]] = {"real": Clock, "skip": SkippingClock, "manual": ManualClock}


class Serving(NamedTuple):
    """An engine that serves: where, its clock, and what answers the requests."""

    url: str
    clock: Clock
    server: Server


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
    paces = partial(Transitions, clock=clock.now) if options.harsh else None
    new_region = partial(Region, clock=clock, poll_hold=options.poll_hold, keep=options.keep, paces=paces)
    regions = Regions(url, new_region, services, stand, delivered=faults.delivered if faults else list)
    services.open()
    port_open = AsyncExitStack()
    try:
        if store:
            await regions.keep(store)
        server = Server(services, regions, faults)
        await port_open.enter_async_context(answering(listener, server))
        yield Serving(url, clock, server)
    finally:
        if faults:
            faults.close()
        await regions.close()  # first: what executions call may answer at this port
        await port_open.aclose()
        listener.close()
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
