"""What is counted: the packages of the running interpreter's standard library, and a damaged copy of one."""

import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from workers.errors import UsageError

_PROGRAMS = {"distutils", "encodings", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "turtledemo"}
"""Programs and generated tables that come with Python: much to count, little to learn."""
_MOST = 12
_ORIGINAL = "logging"
DAMAGED = f"{_ORIGINAL}-damaged"
"""The package with a file cut in the middle."""
_CUT = "config.py"
_WITHIN = "    def "
"""No file may end here, whatever surrounds it."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package to count; also the input of its execution."""

    name: str
    folder: Path


def standard_library() -> list[Package]:
    """The largest packages of the standard library, the largest first.

    Raises `UsageError` for a Python that comes without its source files.
    """
    root = Path(sysconfig.get_path("stdlib"))
    names = sorted(sys.stdlib_module_names - _PROGRAMS)
    found = [Package(name, root / name) for name in names if (root / name / "__init__.py").is_file()]
    if not found:
        raise UsageError(f"this Python has no source files in {root}: run the demo with another one")
    return sorted(found, key=lambda package: -_size(package.folder))[:_MOST]


def damaged_copy(folder: Path) -> Package:
    """A copy of one package in `folder`, with a file that ends in the middle, as if the disk had been full."""
    original = Path(sysconfig.get_path("stdlib")) / _ORIGINAL
    copy = Path(shutil.copytree(original, folder / _ORIGINAL, ignore=shutil.ignore_patterns("__pycache__")))
    text = (copy / _CUT).read_text(encoding="utf-8")
    middle = text.index(_WITHIN, len(text) // 2) + len(_WITHIN)
    (copy / _CUT).write_text(text[:middle], encoding="utf-8")
    return Package(DAMAGED, copy)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.py"))
