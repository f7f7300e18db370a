"""`MODULE:ATTRIBUTE` on the command line becomes the registry that it names."""

import importlib
import sys
import traceback
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from workers.errors import UsageError
from workers.registry import Registry


def load_registry(target: str) -> Registry:
    """The registry that `target` names, as in `handlers:registry`; modules of the current folder are found.

    Raises `UsageError` saying which part is wrong. When the module itself fails, its own traceback is part of
    the message, from the user's first line on.
    """
    module_name, separator, path = target.partition(":")
    if not (module_name and separator and path):
        raise UsageError(f"{target!r} names no registry: write MODULE:ATTRIBUTE, as in handlers:registry")
    found: object = _module(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UsageError(f"{target!r}: {_known(found, module_name)} has no attribute {part!r}") from None
    if not isinstance(found, Registry):
        raise UsageError(f"{target!r} is {_a(found)}, not a registry: name a workers.Registry")
    if not len(found):
        raise UsageError(f"{target!r} is an empty registry: register a handler with @registry.activity")
    return found


def _module(name: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise UsageError(
                f"there is no module {error.name!r} here or among the installed packages{_hint(name)}"
            ) from None
        raise UsageError(_failed(name, error)) from None
    except (ValueError, TypeError) as error:
        if name.startswith(".") or not name.replace(".", "").isidentifier():
            raise UsageError(f"{name!r} is not the name of a module{_hint(name)}") from None
        raise UsageError(_failed(name, error)) from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise UsageError(_failed(name, error)) from None


def _hint(name: str) -> str:
    if name.endswith(".py") or "/" in name:
        return f": write it without folder and ending, as in {Path(name).stem}:registry"
    if PathFinder.find_spec(name.lower()) and name != name.lower():
        return f": did you mean {name.lower()!r}?"
    return ""


def _failed(name: str, error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    lines = traceback.format_list(theirs) + traceback.format_exception_only(error)
    return f"the module {name!r} fails when it is imported:\n{''.join(lines).rstrip()}"


def _known(found: object, module_name: str) -> str:
    return f"module {module_name!r}" if isinstance(found, ModuleType) else f"{type(found).__name__} object"


def _a(found: object) -> str:
    name = found.__name__ if isinstance(found, type) else type(found).__name__
    return f"the class {name}" if isinstance(found, type) else f"a {name}"
