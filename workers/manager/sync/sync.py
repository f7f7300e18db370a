"""All that keeps the store in step with Step Functions, beside the requests of users."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from workers.manager.model import Workflow
from workers.manager.observing import Observer
from workers.manager.store.interface import Store
from workers.manager.sync.explainer import Explainer
from workers.manager.sync.leading import lead
from workers.manager.sync.poller import Poller
from workers.manager.sync.recorder import Ended, Recorder
from workers.manager.sync.starter import Launch, Starter
from workers.manager.sync.sweeper import keep_swept
from workers.payloads.together import background
from workers.stepfunctions.account import Account

Receive = Callable[[Recorder], Coroutine[Any, Any, None]]
"""Receives status changes until it is cancelled."""


class Sync:
    """The parts that look after workflows.

    `launch` starts the execution of a claimed workflow, `observer` looks at executions. `keep`: how long workflows are
    remembered after their end; None for ever. `ended` is called with each workflow that ends. `receive` hands status
    changes to the recorder as they come; without it, all is found by polling.
    """

    def __init__(
        self,
        store: Store,
        account: Account,
        *,
        launch: Launch,
        observer: Observer,
        keep: timedelta | None = None,
        ended: Ended | None = None,
        receive: Receive | None = None,
    ) -> None:
        self._store = store
        self._keep = keep
        self._told = ended
        self.owner = str(uuid4())
        """This process, as the others see it."""
        self.starter = Starter(store, launch, owner=self.owner)
        self._explainer = Explainer()
        self.recorder = Recorder(store, account, observer, ended=self._ended, puzzled=self._explainer.add)
        self._poller = Poller(store, account, self.recorder, events=receive is not None)
        self._receive = receive

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works while the context is open: every process starts workflows and receives events, one polls for all."""
        async with background() as group:
            group.start_soon(self.starter.run, name="start workflows")
            group.start_soon(self._explainer.run, self.recorder, name="explain workflows")
            group.start_soon(lead, self._store, "poll", self.owner, self._poller.run, name="poll workflows")
            if self._receive:
                group.start_soon(self._receive, self.recorder, name="receive events")
            if self._keep is not None:
                sweep = partial(keep_swept, self._store, self._keep)
                group.start_soon(lead, self._store, "sweep", self.owner, sweep, name="sweep workflows")
            yield

    def _ended(self, workflow: Workflow) -> None:
        self.starter.wake()
        if self._told:
            self._told(workflow)
