"""All that keeps the store in step with Step Functions, beside the requests of users."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from workers.manager.model import Status, Workflow
from workers.manager.observing import Observer, explained
from workers.manager.store.interface import Store
from workers.manager.sync.explainer import Explainer
from workers.manager.sync.leading import lead
from workers.manager.sync.poller import Poller
from workers.manager.sync.recorder import Ended, Recorder
from workers.manager.sync.starter import Starter
from workers.manager.sync.sweeper import keep_swept
from workers.payloads.together import background
from workers.stepfunctions.account import Account

Receive = Callable[[Recorder], Coroutine[Any, Any, None]]
"""Receives status changes until it is cancelled."""


class Sync:
    """The parts that look after workflows.

    `launch` starts the execution of a claimed workflow, `observer` looks at executions. `keep`: how long workflows are
    remembered after their end; None for ever. `ended` is called with each workflow that ends; with one that failed when
    it was looked at why. `receive` hands status changes to the recorder as they come; without it, all is found by
    polling.
    """

    def __init__(
        self,
        store: Store,
        account: Account,
        *,
        launch: Callable[[Workflow], Awaitable[Workflow]],
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
        self._launch = launch
        self.starter = Starter(store, self._launched, owner=self.owner)
        self._explainer = Explainer(self._tell_failed)
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
        if self._told and (workflow.status is not Status.FAILED or explained(workflow)):
            self._told(workflow)

    async def _launched(self, workflow: Workflow) -> Workflow:
        """Starts one; where that is refused for good, it has ended."""
        kept = await self._launch(workflow)
        if kept.execution_arn is None:
            self._tell_failed(kept)
        return kept

    def _tell_failed(self, workflow: Workflow) -> None:
        """One that failed is told of when it is known in which job, as far as that can be known."""
        if self._told and workflow.status is Status.FAILED:
            self._told(workflow)
