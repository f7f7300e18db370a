"""The whole service: account, manager, API and port, from what somebody chose."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from workers.arns import NAMESPACE_SEPARATOR
from workers.callbacks.callbacks import Callbacks
from workers.errors import MissingExtraError
from workers.manager.batch.batch import Batch
from workers.manager.events.queue import EventQueue
from workers.manager.events.receiver import Heard
from workers.manager.manager import LocalManager, open_manager
from workers.manager.sync.recorder import Ended
from workers.payloads.together import background
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.applications import Starlette

    from workers.manager.api.guard import Tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the service is to be."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes a free one."""
    database: str = "sqlite:///workflows.sqlite"
    role: str | None = None
    """The ARN of the role of the state machines that it makes."""
    create_role: bool = False
    """Whether each gets a role of its own."""
    payloads: str | None = None
    """The URL of the store for large inputs."""
    keep: timedelta | None = None
    """How long workflows are remembered after their end."""
    max_body: int = 32 * 2**20
    """Bytes of a request's body."""
    tokens: tuple[str, ...] = ()
    read_only_tokens: tuple[str, ...] = ()
    callback_tokens: tuple[str, ...] = ()
    """Those that only finish callbacks."""
    no_auth: bool = False
    """Whether others may reach it without a token."""
    callbacks: str | None = None
    """`APPLICATION` or `NAMESPACE--APPLICATION`: whose callbacks are consumed, and finished by HTTP."""
    callback_store: str | None = None
    """Where their tokens are kept; see `Callbacks` for it and for its default."""
    events: EventQueue | None = None
    """The queue that status changes come by."""
    batch: Batch = field(default_factory=Batch)
    """The queues of AWS Batch."""


class Around(Protocol):
    """Puts something around the API before it is served: the web page, say."""

    def __call__(
        self, api: "FastAPI", manager: LocalManager, *, tokens: "Tokens", any_host: bool
    ) -> "tuple[Starlette, Callable[[], None]]":
        """What is served instead, and what ends its streams."""


@asynccontextmanager
async def open_service(service: Service, settings: Settings, *, around: Around | None = None) -> AsyncIterator[str]:
    """The service at work while the context is open; gives its URL. `settings` say where Step Functions is.

    Raises `UsageError` for what cannot be used, and `MissingExtraError`.
    """
    try:
        from workers.manager.api.app import make_app
        from workers.manager.api.guard import Tokens
        from workers.manager.api.measuring import Measures
        from workers.manager.api.printing import printed
        from workers.manager.serving import check_exposure, serving
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the workflow manager", "manager") from error
    tokens, measures = Tokens(service.tokens, service.read_only_tokens, service.callback_tokens), Measures()
    check_exposure(service.host, tokens, no_auth=service.no_auth)
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(open_account(settings.model_copy(update={"namespace": None})))
        account.called = measures.called
        manager = await stack.enter_async_context(
            manager_of(service, account, ended=measures.ended, heard=measures.heard)
        )
        api = make_app(
            manager,
            tokens=tokens,
            any_host=service.no_auth,
            max_body=service.max_body,
            measures=measures,
            callbacks=await stack.enter_async_context(_callbacks(service, settings)),
        )
        if settings.metrics == "emf":
            await stack.enter_async_context(printed(measures, manager.store))
        app, stopping = around(api, manager, tokens=tokens, any_host=service.no_auth) if around else (api, None)
        url = await stack.enter_async_context(serving(app, host=service.host, port=service.port, stopping=stopping))
        log.info("workflow manager ready", url=url, region=account.place.region, account=account.place.account)
        yield url
        log.info("workflow manager stops")


def manager_of(
    service: Service, account: Account, *, ended: Ended | None = None, heard: Heard | None = None
) -> AbstractAsyncContextManager[LocalManager]:
    """The manager that a service is to have; see `open_manager`."""
    return open_manager(
        service.database,
        account,
        role=service.role,
        create_role=service.create_role,
        payloads=service.payloads,
        keep=service.keep,
        ended=ended,
        events=service.events,
        heard=heard,
        batch=service.batch,
    )


@asynccontextmanager
async def _callbacks(service: Service, settings: Settings) -> AsyncIterator[Callbacks | None]:
    """The callbacks of the application, with their queue and their store, consumed while the context is open."""
    if service.callbacks is None:
        yield None
        return
    namespace, _, application = service.callbacks.rpartition(NAMESPACE_SEPARATOR)
    async with Callbacks(
        namespace or None,
        application,
        store=service.callback_store,
        payloads=service.payloads,
        settings=settings.model_copy(update={"namespace": None}),
    ) as callbacks:
        await callbacks.create()
        async with background() as group:
            group.start_soon(callbacks.consume, name="consume callbacks")
            yield callbacks
