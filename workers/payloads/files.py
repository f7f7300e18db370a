"""Payload stores on one machine: a folder (`file://`) or this process's memory (`memory://`), through fsspec."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, Self, TypeVar
from uuid import uuid4

import anyio.to_thread
from fsspec.core import url_to_fs

from workers.payloads.errors import (
    PayloadForbiddenError,
    PayloadMissingError,
    PayloadTooLargeError,
    StoreAccessDeniedError,
    StoreUnavailableError,
)
from workers.payloads.store import StoredObject

T = TypeVar("T")

_PIECE = 1 << 18


class FileStore:
    """A store on a synchronous fsspec file system, called in threads."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.url = url
        self._files: Any
        self._root: str
        self._files, self._root = url_to_fs(url, **options)
        self._on_disk = url.startswith("file:")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        return None

    async def put(self, key: str, data: bytes, sha256: bytes) -> None:  # noqa: ARG002 - files have no checksums
        """See `Store`."""

        def write() -> None:
            new = self._new(key)
            try:
                new.file.write(data)
            except BaseException:
                new.discard()
                raise
            new.commit()

        await self._call(key, write)

    async def get(self, key: str, limit: int) -> bytes:
        """See `Store`."""

        def read() -> bytes:
            path = self._path(key)
            if (size := self._files.size(path)) > limit:
                raise PayloadTooLargeError(f"{self.url}/{key} has {size:,} bytes, more than {limit:,}")
            data: bytes = self._files.cat_file(path)
            return data

        return await self._call(key, read)

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Store`."""
        file = await self._call(key, lambda: self._open(key))

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await self._call(key, lambda: file.read(_PIECE)):
                yield piece

        try:
            yield pieces()
        finally:
            file.close()

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """See `Store`."""
        new = await self._call(key, lambda: self._new(key))
        try:
            async for piece in pieces:
                await self._call(key, partial(new.file.write, piece))
        except BaseException:
            new.discard()
            raise
        await self._call(key, new.commit)

    async def folders(self) -> AsyncIterator[str]:
        """See `Store`."""
        for found in await self._list(self._root):
            if found["type"] == "directory":
                yield found["name"].rsplit("/", 1)[-1]

    async def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        """See `Store`."""
        for found in await self._list(f"{self._root}/{folder}"):
            if found["type"] == "file":
                name = found["name"].rsplit("/", 1)[-1]
                yield StoredObject(f"{folder}/{name}", found["size"], _modified(found))

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Store`."""

        def remove() -> None:
            for key in keys:
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._path(key))

        await self._call("", remove)

    async def _list(self, folder: str) -> list[dict[str, Any]]:
        try:
            return await self._call("", lambda: self._files.ls(folder, detail=True, refresh=True))
        except PayloadMissingError:
            return []

    def _new(self, key: str) -> "_Draft | _Buffer":
        return (_Draft if self._on_disk else _Buffer)(self._files, self._path(key))

    def _open(self, key: str) -> Any:
        return self._files.open(self._path(key), "rb")

    def _path(self, key: str) -> str:
        path = f"{self._root}/{key}"
        if self._on_disk and not os.path.realpath(path).startswith(os.path.realpath(self._root) + "/"):
            raise PayloadForbiddenError(f"{self.url}/{key} leads out of the store through a link")
        return path

    async def _call(self, key: str, work: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(work)
        except FileNotFoundError:
            raise PayloadMissingError(f"{self.url}/{key} is not there (any more)") from None
        except PermissionError as error:
            raise StoreAccessDeniedError(f"{self.url}/{key}: {error.strerror or error}") from error
        except OSError as error:
            raise StoreUnavailableError(f"{self.url}/{key}: {error.strerror or error}") from error


class _Draft:
    """A new file that gets its name only when it is whole, so that nobody reads half of it."""

    def __init__(self, files: Any, path: str) -> None:
        self._files = files
        self._path = path
        self._draft = f"{path}.{uuid4().hex}"
        files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self.file: BinaryIO = files.open(self._draft, "wb")

    def commit(self) -> None:
        self.file.close()
        self._files.mv(self._draft, self._path)

    def discard(self) -> None:
        self.file.close()
        self._files.rm_file(self._draft)


class _Buffer:
    """The same for memory, where a rename would look at every file there is."""

    def __init__(self, files: Any, path: str) -> None:
        self._files = files
        self._path = path
        self.file = BytesIO()

    def commit(self) -> None:
        self._files.pipe_file(self._path, self.file.getvalue())

    def discard(self) -> None:
        self.file.close()


def _modified(found: Mapping[str, Any]) -> datetime:
    written = found.get("mtime", found.get("created"))
    return written if isinstance(written, datetime) else datetime.fromtimestamp(float(written or 0), UTC)
