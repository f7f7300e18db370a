"""Payloads of any size around a handler: reload on the way in, offload on the way out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from interceptors.chain import CallNext
from workers.payloads.choose import BUDGET, Choice, Keys
from workers.payloads.codec import Compression
from workers.payloads.limits import Limits
from workers.payloads.payloads import Payloads
from workers.payloads.progress import Progress
from workers.payloads.streams import PayloadStream
from workers.task import Task


class Payload:
    """Gives handlers whole values where Step Functions carries claims, and makes claims of what is large.

    Of several in one chain only the innermost, the most specific one, runs. The options are those of `Payloads` and of
    `Payloads.offload`:

        Payload("s3://bucket/prefix", keep=["$.status", "$.items[*].id"])

    It also keeps what a handler gives to `task.heartbeat(details)` for the next attempt of the same task.
    """

    reloads_payloads = True
    """By this mark a worker knows a payload interceptor without importing this module."""

    def __init__(
        self,
        store: str,
        *,
        keys: Keys = "auto",
        keep: Iterable[str] = (),
        always: bool = False,
        budget: int = BUDGET,
        read_from: Iterable[str] = (),
        compression: Compression | None = None,
        max_object: int = Limits.max_object,
        max_document: int = Limits.max_document,
        max_stream: int = Limits.max_stream,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.choice = Choice.of(keys=keys, keep=keep, always=always, budget=budget)
        """What is offloaded of a result."""
        self.payloads = Payloads(
            store,
            read_from=read_from,
            compression=compression,
            max_object=max_object,
            max_document=max_document,
            max_stream=max_stream,
            options=options,
        )

    def use_aws(self, session: Any, endpoint_url: str | None = None) -> None:
        """The worker's own AWS session and endpoint, for a store whose `options` name none. Before entering."""
        self.payloads.use_aws(session, endpoint_url)

    async def __aenter__(self) -> Self:
        """Opens the store."""
        await self.payloads.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Closes the store."""
        await self.payloads.__aexit__(*failure)

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Reloads the input, calls on, offloads the result."""
        opened: list[PayloadStream] = []
        try:
            value = await self.payloads.reload(task.input, streams=task.streams, opened=opened)
            result = await self._with_progress(task if value is task.input else task.replace(input=value), call_next)
            return await self.payloads.offload_chosen(result, self.choice)
        finally:
            for stream in opened:
                await stream.aclose()

    async def _with_progress(self, task: Task, call_next: CallNext) -> Any:
        if task.execution is None or task.state is None:
            return await call_next(task)
        progress = Progress(self.payloads.store, task)
        noted = await progress.load() if _is_repeated(task) else None
        async with progress.kept():
            return await call_next(replace(task, progress=noted, save_progress=progress.save))


def _is_repeated(task: Task) -> bool:
    """Whether there may have been an attempt of the same work before."""
    return task.attempt != 1 or bool(task.context and task.context.redrive)
