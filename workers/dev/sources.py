"""The user's files: read anew in each process, never from a cache, and known with how they were when they were read.

Python trusts compiled files whose source has the same size, and the same time of change in whole seconds: two saves
within one second could be taken for one.
"""

import os
import sys
import sysconfig
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

Signature = tuple[int, int, int]
"""Time of change in nanoseconds, size, inode: what tells one save of a file from the next."""

_INSTALLED = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[1]) + os.sep, str(Path(__file__).parents[2] / "interceptors") + os.sep}
)


def signature(path: str) -> Signature | None:
    """How the file is now; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of times
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def is_users(path: str) -> bool:
    """Whether a file is part of what is being developed: neither Python's, nor installed, nor ours."""
    return not path.startswith(_INSTALLED) and f"{os.sep}site-packages{os.sep}" not in path


class Sources:
    """The user's modules that this process has read."""

    def __init__(self) -> None:
        self.read: dict[str, Signature | None] = {}
        """Each file, as it was just before it was read."""

    def watch(self) -> None:
        """From now on, each import of the user's reads the source, and is noted."""
        sys.dont_write_bytecode = True
        loader: Any = SourceFileLoader
        inherited = loader.path_stats
        noted = self.read

        def path_stats(self: SourceFileLoader, path: str) -> Any:
            full = os.path.abspath(path)  # noqa: PTH100 - as the import system itself does
            if not is_users(full):
                return inherited(self, path)
            noted[full] = signature(full)
            raise OSError("the cache is not to be used")  # what SourceLoader takes for "no compiled file"

        loader.path_stats = path_stats
