"""The workflow manager, put together: a store, an account, what looks after workflows, and what users ask for."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from anyio import Lock

from workers.manager.batch.batch import Batch
from workers.manager.changes import Changes
from workers.manager.definitions import DefinitionService
from workers.manager.events.queue import EventQueue, OpenQueue, open_queue
from workers.manager.events.receiver import Heard, Receiver
from workers.manager.launching import Launcher
from workers.manager.machines import Machines
from workers.manager.observing import Observer
from workers.manager.registry import RegistryService
from workers.manager.resuming import ResumeService
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Store
from workers.manager.sync.recorder import Ended, Recorder
from workers.manager.sync.sync import Receive, Sync
from workers.payloads.payloads import Payloads
from workers.payloads.together import background
from workers.stepfunctions.account import Account


class LocalManager(DefinitionService, ResumeService, RegistryService):
    """A workflow manager in this process: all of `workers.manager.interface.WorkflowManager`."""

    def __init__(
        self,
        store: Store,
        account: Account,
        *,
        role: str | None = None,
        create_role: bool = False,
        payloads: Payloads | None = None,
        keep: timedelta | None = None,
        ended: Ended | None = None,
        receive: Receive | None = None,
        batch: Batch | None = None,
    ) -> None:
        self.store = store
        self.account = account
        self.payloads = payloads
        machines = Machines(account, store, role=role, create_role=create_role)
        self.launcher = Launcher(store, account, machines, payloads, batch)
        observer = Observer(account, store, batch)
        self.sync = Sync(
            store, account, launch=self.launcher.launch, observer=observer, keep=keep, ended=ended, receive=receive
        )
        self.recent_changes = Changes(store)
        self.looked = {}
        self.naming = Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks after workflows while the context is open."""
        async with self.sync.running(), background() as group:
            self.recent_changes.start(group)
            yield


@asynccontextmanager
async def open_manager(
    url: str,
    account: Account,
    *,
    role: str | None = None,
    create_role: bool = False,
    payloads: str | None = None,
    keep: timedelta | None = None,
    ended: Ended | None = None,
    events: EventQueue | None = None,
    heard: Heard | None = None,
    batch: Batch | None = None,
) -> AsyncIterator[LocalManager]:
    """The workflow manager with the store at `url`, at work while the context is open.

    `role`: the ARN of the role of the state machines that it creates; `create_role`: each gets one of its own.
    `payloads`: the URL of the store for inputs over 256 KiB, and for what is too large for DynamoDB. `keep`: how long
    workflows are remembered after their end. `ended` is called with each workflow that ends. `events`: the queue that
    status changes come by; `heard` is told of its messages. `batch`: the queues of AWS Batch, for definitions that it
    runs. Raises `UsageError` for what cannot be used.
    """
    async with AsyncExitStack() as stack:
        large = None
        if payloads:
            large = Payloads(payloads)
            large.use_aws(account.connection.session, account.connection.endpoint_url)
            await stack.enter_async_context(large)
        store = await stack.enter_async_context(open_store(url, connection=account.connection, payloads=large))
        receive: Receive | None = None
        if events:
            queue = await stack.enter_async_context(open_queue(account, events))
            receive = partial(_receive, queue, store, heard)
        manager = LocalManager(
            store,
            account,
            role=role,
            create_role=create_role,
            payloads=large,
            keep=keep,
            ended=ended,
            receive=receive,
            batch=batch,
        )
        await stack.enter_async_context(manager.running())
        yield manager


async def _receive(queue: OpenQueue, store: Store, heard: Heard | None, recorder: Recorder) -> None:
    await Receiver(queue, store, recorder, heard).run()
