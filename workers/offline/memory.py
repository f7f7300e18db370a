"""A payload store in memory, for as long as somebody runs handlers without Step Functions."""

import uuid
from types import TracebackType
from typing import Self

import fsspec

from interceptors.chain import Interceptor
from interceptors.payload import Payload
from workers.payloads.payloads import Payloads
from workers.supervisor.arrangement import is_payload


class MemoryStore:
    """An empty store, forgotten when it is left."""

    def __init__(self) -> None:
        self._name = f"workers-{uuid.uuid4().hex}"
        self.url = f"memory://{self._name}"
        self.payloads = Payloads(self.url)

    async def __aenter__(self) -> Self:
        await self.payloads.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.payloads.__aexit__(exc_type, exc_value, traceback)
        memory = fsspec.filesystem("memory")
        if memory.exists(self._name):
            memory.rm(self._name, recursive=True)

    def instead_of(self, interceptor: Interceptor) -> Interceptor:
        """An interceptor that chooses as `interceptor` does, and stores here; any other than a payload one is kept."""
        if not (is_payload(interceptor) and isinstance(interceptor, Payload)):
            return interceptor
        here = Payload(self.url)
        here.choice = interceptor.choice
        return here
