"""Which client a worker uses: the fast one where nothing speaks against it, and the stock one for good otherwise."""

from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

import structlog
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies

from workers.errors import UsageError
from workers.stepfunctions.client import BotocoreClient, open_client
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.client import FastClient, UnaccountableError
from workers.stepfunctions.fast.pool import Endpoint
from workers.stepfunctions.protocol import ActivityTask, HotCalls, StepFunctions, TransientError

log = structlog.get_logger(__name__)

T = TypeVar("T")
ClientName = Literal["auto", "fast", "botocore"]


class AutoClient:
    """The fast client, until an answer comes that it cannot account for; from then on the stock client.

    With `fall_back=False` it stays with the fast one, and such an answer is a fault like any other.
    """

    def __init__(self, fast: FastClient, stock: StepFunctions, *, fall_back: bool = True) -> None:
        self._hot: HotCalls = fast
        self._stock = stock
        self._fall_back = fall_back
        self.timeouts, self.host = fast.timeouts, fast.host
        """What was found in the SDK's configuration."""

    def get_activity_task(self, activity_arn: str, worker_name: str) -> Coroutine[Any, Any, ActivityTask | None]:
        """See `StepFunctions`."""
        return self._answer(self._hot.get_activity_task(activity_arn, worker_name))

    def send_task_success(self, token: str, output: str) -> Coroutine[Any, Any, None]:
        """See `StepFunctions`."""
        return self._answer(self._hot.send_task_success(token, output))

    def send_task_failure(self, token: str, error: str, cause: str) -> Coroutine[Any, Any, None]:
        """See `StepFunctions`."""
        return self._answer(self._hot.send_task_failure(token, error, cause))

    def send_task_heartbeat(self, token: str) -> Coroutine[Any, Any, None]:
        """See `StepFunctions`."""
        return self._answer(self._hot.send_task_heartbeat(token))

    async def create_activity(self, name: str) -> None:
        """See `StepFunctions`."""
        await self._stock.create_activity(name)

    async def _answer(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except UnaccountableError as error:
            self._give_up(error)

    def _give_up(self, error: UnaccountableError) -> NoReturn:
        if self._fall_back and self._hot is not self._stock:
            self._hot = self._stock
            log.warning("using the stock client from now on", why=str(error))
        # Whether to call again is the worker's to say: it counts reports, and opens no poll while it drains.
        raise TransientError("Call", "UnaccountableAnswer", str(error)) from error


@asynccontextmanager
async def open_stepfunctions(
    connection: Connection, name: ClientName, *, polls: int, reports: int
) -> AsyncIterator[StepFunctions]:
    """The client called `name`, for at most `polls` open polls and `reports` other calls at the same time.

    Raises `UsageError` for "fast" where the SDK's configuration asks for what that client does not do.
    """
    async with open_client(connection, polls=polls, reports=reports) as stock:
        objection = "--client botocore" if name == "botocore" else await _objection(connection, stock)
        if objection:
            if name == "fast":
                raise UsageError(f"--client fast cannot be used: {objection}. Use --client auto or botocore")
            log.debug("using the stock client", why=objection)
            yield stock
            return
        fast = await _fast(connection, stock, polls=polls, reports=reports)
        try:
            yield AutoClient(fast, stock, fall_back=name == "auto")
        finally:
            fast.close()


async def _objection(connection: Connection, stock: BotocoreClient) -> str | None:
    """What of the SDK's configuration the fast client does not do."""
    meta = stock.meta
    if meta.config.signature_version != "v4":
        return f"requests are signed with {meta.config.signature_version}"
    if meta.config.client_cert:
        return "a client certificate is configured"
    proxies = get_environ_proxies(meta.endpoint_url) if meta.config.proxies is None else meta.config.proxies
    if ProxyConfiguration(proxies=proxies).proxy_url_for(meta.endpoint_url):
        return "a proxy is configured"
    if not _is_simple(meta.endpoint_url):
        return f"the endpoint {meta.endpoint_url} is not only a host, a port and a path that can be sent as it stands"
    if await connection.session.get_credentials() is None:
        return "there are no credentials"
    return None


def _is_simple(url: str) -> bool:
    """Whether `url` can be written into the head of a request as it is."""
    parts = urlsplit(url)
    more = parts.query or parts.fragment or "@" in parts.netloc
    return not more and url.isascii() and url.isprintable() and " " not in url


async def _fast(connection: Connection, stock: BotocoreClient, *, polls: int, reports: int) -> FastClient:
    meta = stock.meta
    return FastClient(
        endpoint=_endpoint(meta.endpoint_url, connection),
        region=meta.region_name,
        service=meta.service_model.signing_name,
        credentials=await connection.session.get_credentials(),
        polls=polls,
        reports=reports,
        timeouts=stock.timeouts,
    )


def _endpoint(url: str, connection: Connection) -> Endpoint:
    parts = urlsplit(url)
    tls = None
    if parts.scheme == "https":
        tls = connection.tls
        tls.set_alpn_protocols(["http/1.1"])
    return Endpoint(
        host=parts.hostname or "",
        port=parts.port or (443 if tls else 80),
        path=parts.path or "/",
        tls=tls,
    )
