"""`Payloads`: a payload store with everything that is done to documents in front of it."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple, Self

import anyio

from workers.errors import UsageError
from workers.payloads.choose import BUDGET, Choice, Keys
from workers.payloads.codec import Compression, encoding_for
from workers.payloads.document import Place
from workers.payloads.limits import Limits
from workers.payloads.offload import Offload
from workers.payloads.reload import Reload
from workers.payloads.store import Store, check_url
from workers.payloads.stores import open_store
from workers.payloads.streams import PayloadStream

_AT_ONCE = 32
"""Objects read or written at the same time."""


class _Entered(NamedTuple):
    """What there is while the stores are open."""

    store: Store
    offload: Offload
    reload: Reload


class Payloads:
    """Offloads and reloads documents. An async context manager, because it holds connections.

        async with Payloads("s3://bucket/prefix") as payloads:
            small = await payloads.offload(document)

    `store`: `s3://BUCKET/PREFIX` (the bucket has to exist), `file:///FOLDER` or `memory://NAME`. `read_from`: further
    stores whose claims may be read. `compression`: `"gzip"`, `"zstd"` or None. `max_object`, `max_document` and
    `max_stream`: caps in bytes for one offloaded value, all values of one document, one stream.
    `options`: those of the store's fsspec file system; for S3 as s3fs documents them: `endpoint_url`,
    `s3_additional_kwargs` with `SSEKMSKeyId` or `Tagging`, and so on.

    Raises `UsageError` for what could never work, and a `PayloadError` when a payload cannot be written or read.
    """

    def __init__(
        self,
        store: str,
        *,
        read_from: Iterable[str] = (),
        compression: Compression | None = None,
        max_object: int = Limits.max_object,
        max_document: int = Limits.max_document,
        max_stream: int = Limits.max_stream,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(read_from, str):
            raise UsageError(f"read_from is the text {read_from!r}: it must be a list, [{read_from!r}]")
        self.url = check_url(store)
        self._read_from = [check_url(url) for url in read_from]
        self._encoding = encoding_for(compression)
        self._limits = Limits(max_object=max_object, max_document=max_document, max_stream=max_stream)
        self._options = dict(options or {})
        self._aws: dict[str, Any] = {}
        self._stack = AsyncExitStack()
        self._entered: _Entered | None = None

    def use_aws(self, session: Any, endpoint_url: str | None = None) -> None:
        """The aiobotocore session, and the endpoint, for stores on S3 whose `options` name none. Before entering."""
        self._aws = {"session": session} | ({"endpoint_url": endpoint_url} if endpoint_url else {})

    async def __aenter__(self) -> Self:
        """Opens the stores, without a request to them."""
        async with AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(self._opened(url)) for url in (self.url, *self._read_from)]
            limiter = anyio.CapacityLimiter(_AT_ONCE)
            self._entered = _Entered(
                stores[0],
                Offload(stores[0], self._encoding, self._limits, limiter),
                Reload(stores, self._limits, limiter),
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Closes the stores."""
        self._entered = None
        await self._stack.aclose()

    @property
    def store(self) -> Store:
        """The store that is written to, while this is entered."""
        return self._open.store

    async def offload(
        self,
        document: Any,
        *,
        keys: Keys = "auto",
        keep: Iterable[str] = (),
        always: bool = False,
        budget: int = BUDGET,
    ) -> Any:
        """A copy of `document`, any JSON value, in which claims stand for what is large.

        `keys`: `"auto"` takes the largest values, at any depth, until the document has at most `budget` bytes;
        `"all"` takes every value of the object (or a document that is no object as a whole); a list takes the values
        that it names. Each does so only when the document is over its budget, unless `always`. `keep` names values
        that stay, with everything in them, for instance because a Choice reads them. What stands in `keys` and
        `keep` is a key of the document or a path such as `$.items[*].id`; one that leads nowhere is ignored.

        When it returns the objects are written. Objects of yours that look like claims are escaped, and come back
        from `reload` as they were. A `PayloadStream` in the document is stored.
        """
        return await self._open.offload(document, Choice.of(keys=keys, keep=keep, always=always, budget=budget))

    async def offload_chosen(self, document: Any, choice: Choice) -> Any:
        """`offload` with options that were checked beforehand."""
        return await self._open.offload(document, choice)

    async def reload(
        self, document: Any, *, streams: Collection[Place] = (), opened: list[PayloadStream] | None = None
    ) -> Any:
        """A copy of `document` in which everything offloaded is back, at any depth; itself where there is no claim.

        Every claim is checked before anything is read. Claims on streams, and those at the places `streams`, become
        `PayloadStream`s; they are added to `opened`, for the caller to close.
        """
        return await self._open.reload(document, streams, [] if opened is None else opened)

    @property
    def _open(self) -> "_Entered":
        if self._entered is None:
            raise UsageError(f"payload store {self.url} is not open: use it within `async with Payloads(…)`")
        return self._entered

    def _opened(self, url: str) -> Store:
        scheme = url.partition(":")[0]
        aws = self._aws if scheme == "s3" else {}
        return open_store(url, {**aws, **self._options} if self.url.startswith(f"{scheme}:") else aws)
