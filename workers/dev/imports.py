"""What the user's code imports and is not part of: modules of Python and of packages, which no save changes."""

import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from importlib import import_module

from workers.dev.sources import is_users


def installed(names: Collection[str]) -> list[str]:
    """Those of the modules `names` that are not the user's, in the order in which they were imported."""
    found = ((name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items()))
    return [name for name, file in found if name in names and file and not is_users(file)]


def import_all(names: Iterable[str]) -> None:
    """Imports the modules. What cannot be imported is left to the user's code, which may not need it any more."""
    for name in names:
        with suppress(Exception, SystemExit):
            import_module(name)
