"""Which kind of payload store a URL names."""

from collections.abc import Mapping
from typing import Any

from workers.payloads.store import Store, check_url


def open_store(url: str, options: Mapping[str, Any]) -> Store:
    """The store at `url`; `options` are those of its fsspec file system. Raises `UsageError`."""
    checked = check_url(url)
    if checked.startswith("s3:"):
        from workers.payloads.s3 import S3Store

        return S3Store(checked, options)
    from workers.payloads.files import FileStore

    return FileStore(checked, options)
