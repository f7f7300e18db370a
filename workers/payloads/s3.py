"""Payload stores on S3 (`s3://`).

s3fs brings the configuration: credentials, endpoint, session, encryption, tags, as its options say. Objects are read
and written with the S3 client that it holds: s3fs's own read sends a HEAD before every GET, which doubles its CPU
(unless its `max_concurrency` is 1), and gives no look at the length before the body has been read.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import stamina
from s3fs import S3FileSystem

from workers.errors import UsageError
from workers.payloads.errors import PayloadTooLargeError, StoreUnavailableError
from workers.payloads.s3_errors import translated
from workers.payloads.s3_upload import upload
from workers.payloads.store import StoredObject
from workers.version import __version__

T = TypeVar("T")

CONNECTIONS = 64
"""Requests to S3 at once; more wait for a connection."""
_PIECE = 1 << 18
_DELETED_AT_ONCE = 1_000  # DeleteObjects, API reference

_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 20,
    "max_pool_connections": CONNECTIONS,
    "retries": {"total_max_attempts": 1, "mode": "standard"},  # stamina retries: it sees broken bodies too
    "user_agent": f"sfn-workers/{__version__}",  # given, so botocore does not build one for each request
    # An object is sent with its SHA-256 in a signed header, and S3 checks the body against it: a second hash for the
    # signature would add nothing. Neither would a checksum of an answer whose hash is compared with the claim.
    "s3": {"payload_signing_enabled": False},
    "response_checksum_validation": "when_required",
}

_patiently = stamina.AsyncRetryingCaller(attempts=5, timeout=60.0, wait_initial=0.1, wait_max=5.0, wait_jitter=0.3).on(
    StoreUnavailableError
)


class S3Store:
    """A store in an S3 bucket."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.url = url
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        try:
            self._files: Any = S3FileSystem(asynchronous=True, skip_instance_cache=True, **_merged(options))
        except TypeError as error:
            raise UsageError(f"payload store {url}: an option cannot be used: {error}") from None
        self._client: Any = None
        self._accepted: dict[str, dict[str, Any]] = {}

    async def __aenter__(self) -> Self:
        await self._files.set_session()
        self._client = await self._files.get_s3(self._bucket)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._client.close()

    async def put(self, key: str, data: bytes, sha256: bytes) -> None:
        """See `Store`."""
        await self._call("put_object", key, Body=data, ChecksumSHA256=base64.b64encode(sha256).decode())

    async def get(self, key: str, limit: int) -> bytes:
        """See `Store`."""

        async def read(answer: Any) -> bytes:
            size: int = answer["ContentLength"]
            async with answer["Body"] as body:
                if size > limit:
                    raise PayloadTooLargeError(f"{self.url}/{key} has {size:,} bytes, more than {limit:,}")
                data: bytes = await body.read()
                return data

        data: bytes = await self._call("get_object", key, read)
        return data

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Store`. A connection that breaks is taken up again where it broke."""
        body: Any = None
        position = 0

        async def first(answer: Any) -> tuple[Any, bytes]:
            return answer["Body"], await answer["Body"].read(_PIECE)

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal body, position
            while True:
                try:
                    with translated(f"{self.url}/{key}"):
                        piece = await body.read(_PIECE)
                except StoreUnavailableError:
                    body.close()
                    body, piece = await self._call("get_object", key, first, Range=f"bytes={position}-")
                if not piece:
                    return
                position += len(piece)
                yield piece

        body = (await self._call("get_object", key))["Body"]
        try:
            yield pieces()
        finally:
            body.close()

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """See `Store`."""
        await upload(self._call, key, pieces)

    async def folders(self) -> AsyncIterator[str]:
        """See `Store`."""
        async for page in self._pages(self._prefix, Delimiter="/"):
            for found in page.get("CommonPrefixes", ()):
                yield found["Prefix"].removeprefix(self._prefix).rstrip("/")

    async def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        """See `Store`."""
        async for page in self._pages(f"{self._prefix}{folder}/"):
            for found in page.get("Contents", ()):
                yield StoredObject(found["Key"].removeprefix(self._prefix), found["Size"], found["LastModified"])

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Store`."""
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            listed = [{"Key": self._prefix + key} for key in keys[start : start + _DELETED_AT_ONCE]]
            answer = await self._request("delete_objects", {"Delete": {"Objects": listed, "Quiet": True}})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise StoreUnavailableError(f"{self.url}: {first['Key']} was not deleted: {first.get('Message')}")

    async def _pages(self, prefix: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = await self._request("list_objects_v2", {"Prefix": prefix, **parameters, **token})
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    async def _call(
        self, operation: str, key: str, use: Callable[[Any], Awaitable[Any]] | None = None, **parameters: Any
    ) -> Any:
        """The answer of `operation` on the object `key`, or what `use` makes of it, retried together with it."""
        return await self._request(operation, {"Key": self._prefix + key, **parameters}, use)

    async def _request(
        self, operation: str, parameters: dict[str, Any], use: Callable[[Any], Awaitable[Any]] | None = None
    ) -> Any:
        method = getattr(self._client, operation)
        request = {**self._defaults(operation), **parameters, "Bucket": self._bucket}
        subject = f"{self.url}/{parameters['Key'].removeprefix(self._prefix)}" if "Key" in parameters else self.url

        async def once() -> Any:
            with translated(subject):
                answer = await method(**request)
                return await use(answer) if use else answer

        return await _patiently(once)

    def _defaults(self, operation: str) -> dict[str, Any]:
        """What the options say for every request (`s3_additional_kwargs`), where `operation` takes it."""
        if operation not in self._accepted:
            name = self._client.meta.method_to_api_mapping[operation]
            members = self._client.meta.service_model.operation_model(name).input_shape.members
            given = {**self._files.s3_additional_kwargs, **self._files.req_kw}
            self._accepted[operation] = {key: value for key, value in given.items() if key in members}
        return self._accepted[operation]


def _merged(options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with our client configuration under the user's."""
    given = options.get("config_kwargs") or {}
    config = {**_CONFIG, **given, "s3": {**_CONFIG["s3"], **given.get("s3", {})}}  # type: ignore[dict-item]
    return {**options, "config_kwargs": config}
