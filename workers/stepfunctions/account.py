"""Step Functions in one account and region, as those see it who define machines and run executions."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import structlog
from botocore import xform_name

from workers.arns import Place, is_arn, namespaced
from workers.backoff import Backoff
from workers.settings import Settings
from workers.stepfunctions.client import CONNECT_TIMEOUT
from workers.stepfunctions.connection import FAULTS, Connection, Patience, connect, find_place
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.pacing import Pace, buckets
from workers.stepfunctions.protocol import ServiceError, ThrottledError, TransientError
from workers.version import __version__

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

log = structlog.get_logger(__name__)

SETTLES = 30.0
"""Seconds in which what was just created may still be answered with "does not exist" (eventual consistency)."""
_READ_TIMEOUT = 30.0
_SYNC_READ_TIMEOUT = 310.0
"""Seconds: StartSyncExecution answers when the execution ends, after five minutes at the latest."""
_THROTTLES = 12
"""How often a call is repeated when it is throttled: about a minute."""
_SILENT = 4
"""Repetitions, some seconds long together, that nobody need hear of."""


class Account:
    """An AWS account and region: where names become ARNs, and where calls are made.

    Calls wait for their turn at the API's bucket (not on the embedded engine, which has none) and are repeated after
    throttling and faults. Made by `open_account()`.
    """

    def __init__(self, connection: Connection, place: Place, settings: Settings, client: Any) -> None:
        self.connection = connection
        self.place = place
        self.settings = settings
        self._client = client
        self.called: Callable[[str, str | None], None] = _unheard
        """Told of every call of Step Functions: the operation, and the code of its error or None."""
        self.buckets = buckets(place.region)
        """The token bucket of each API."""
        self._paces = {} if settings.local else {api: Pace(bucket) for api, bucket in self.buckets.items()}

    @property
    def namespace(self) -> str | None:
        """What stands before the names of machines and activities."""
        return self.settings.namespace

    def state_machine(self, name: str) -> str:
        """The ARN of a state machine: of `NAME`, `NAME:VERSION`, `NAME:ALIAS`, or an ARN as it is."""
        if is_arn(name):
            return name
        name, colon, qualifier = name.partition(":")
        return f"{self.place.state_machine(namespaced(name, self.namespace))}{colon}{qualifier}"

    def activity(self, name: str) -> str:
        """The ARN of an activity; an ARN is returned as it is."""
        return name if is_arn(name) else self.place.activity(namespaced(name, self.namespace))

    async def call(self, operation: str, /, *, created: float | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer to one call of Step Functions; parameters that are None are left out.

        `created`: when what it is about was created (`time.monotonic()`); for half a minute after that, the answer
        that it does not exist is not believed. Raises `ServiceError`.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        method = getattr(self._client, xform_name(operation))
        backoff = Backoff(initial=0.2, maximum=8.0)
        while True:
            if pace := self._paces.get(operation):
                await pace.turn()
            try:
                with Translation(operation):
                    answer: dict[str, Any] = await method(**given)
                self.called(operation, None)
                return answer
            except ServiceError as error:
                self.called(operation, error.code)
                if not (_passes(error, backoff.failures) or _settles(error, created)):
                    raise
                failures = backoff.failures + 1
                if failures <= _SILENT:
                    log.info("call repeated", operation=operation, error=error.code, failures=failures)
                else:
                    log.warning("call repeated", operation=operation, error=error.code, failures=failures)
            await anyio.sleep(backoff.next())

    async def items(self, operation: str, key: str, /, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """What stands under `key` on all pages of a list."""
        token = None
        while True:
            page = await self.call(operation, nextToken=token, **parameters)
            for item in page[key]:
                yield item
            if not (token := page.get("nextToken")):
                return

    async def start_sync_execution(self, **parameters: Any) -> dict[str, Any]:
        """StartSyncExecution: the answer comes when the execution has ended. Raises `ServiceError`."""
        async with self.connection.client("stepfunctions", _config(self.connection, _SYNC_READ_TIMEOUT)) as client:
            with Translation("StartSyncExecution"):
                answer: dict[str, Any] = await client.start_sync_execution(**parameters)
        return answer

    def client(self, service: str) -> Any:
        """A client of another service: an async context manager, as aiobotocore's."""
        return self.connection.client(service, _config(self.connection))


def _unheard(operation: str, code: str | None) -> None:
    del operation, code


@asynccontextmanager
async def open_account(
    settings: Settings | None = None, *, session: "AioSession | None" = None
) -> AsyncIterator[Account]:
    """The account that `settings` and the AWS SDK's own configuration name.

    Raises `UsageError` for what cannot work: no region, no credentials, nothing at the local endpoint; `ServiceError`
    when STS, which is asked for the account, does not answer.
    """
    settings = settings or Settings()
    connection = await connect(settings, session)
    place = await find_place(connection, settings, waiting=Patience())
    async with connection.client("stepfunctions", _config(connection)) as client:
        yield Account(connection, place, settings, client)


@asynccontextmanager
async def using(account: Account | None) -> AsyncIterator[Account]:
    """`account`, or one opened for the occasion."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_account()) if account is None else account


def _config(connection: Connection, read_timeout: float = _READ_TIMEOUT) -> "AioConfig":
    from aiobotocore.config import AioConfig

    return AioConfig(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        max_pool_connections=50,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent=f"sfn-workers/{__version__}",
        inject_host_prefix=False if connection.endpoint_url else None,
    )


def _passes(error: ServiceError, failures: int) -> bool:
    """Whether the call may succeed when it is repeated."""
    return isinstance(error, TransientError) and failures < (
        _THROTTLES if isinstance(error, ThrottledError) else FAULTS
    )


def _settles(error: ServiceError, created: float | None) -> bool:
    """Whether the call is about something so young that "does not exist" may mean "not yet"."""
    return created is not None and is_missing(error) and time.monotonic() - created < SETTLES


def is_missing(error: ServiceError) -> bool:
    """Whether the answer was that something does not exist."""
    return error.code.endswith("DoesNotExist") or error.code == "ResourceNotFound"
