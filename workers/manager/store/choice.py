"""A store, chosen by its URL."""

from workers.errors import MissingExtraError
from workers.manager.store.interface import Store


def open_store(url: str) -> Store:
    """The store at `url`, to be entered: `sqlite:///FILE`, or `sqlite://` for one in memory.

    Raises `UsageError` for a URL that cannot be used, and `MissingExtraError`.
    """
    try:
        from workers.manager.store.sql.store import SqlStore
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the workflow manager", "manager") from error
    return SqlStore(url)
