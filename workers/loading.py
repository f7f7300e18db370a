"""`MODULE:ATTRIBUTE` on the command line becomes the registry that it names."""

import importlib
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import PathFinder
from itertools import dropwhile
from pathlib import Path
from types import ModuleType
from typing import Any

from workers.errors import UsageError
from workers.failures import is_ours
from workers.registry import Registry


def load_registry(target: str) -> Registry:
    """The registry that `target` names, as in `handlers:registry`; modules of the current folder are found.

    Raises `UsageError` saying which part is wrong. When the module itself fails, its own traceback is part of
    the message, from the user's first line on; a registration that is refused is one line with its place.
    """
    found = _found(target, "registry")
    if not isinstance(found, Registry):
        raise UsageError(f"{target!r} is {_a(found)}, not a registry: name a workers.Registry")
    if not len(found):
        raise UsageError(f"{target!r} is an empty registry: register a handler with @registry.activity")
    return found


def load_function(target: str) -> Callable[..., Any]:
    """The function that `target` names, as in `functions:charge`. Raises `UsageError` saying which part is wrong."""
    found = _found(target, "function")
    if not callable(found):
        raise UsageError(f"{target!r} is {_a(found)}, not a function")
    return found


def _found(target: str, what: str) -> object:
    module_name, separator, path = target.partition(":")
    if not (module_name and separator and path):
        raise UsageError(f"{target!r} names no {what}: write MODULE:ATTRIBUTE, as in handlers:{what}")
    found: object = _module(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UsageError(f"{target!r}: {_known(found, module_name)} has no attribute {part!r}") from None
        except Exception as error:  # noqa: BLE001 - a property is code, and may raise anything
            raise UsageError(f"{target!r} fails when it is read: {type(error).__name__}: {error}") from None
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
    except KeyboardInterrupt:
        raise
    except UsageError as error:
        raise UsageError(f"{_place(error)}: {error}") from None
    except BaseException as error:  # noqa: BLE001 - so may a module, SystemExit too
        raise UsageError(_failed(name, error)) from None


def _hint(name: str) -> str:
    if name.endswith(".py") or "/" in name:
        return f": write it without folder and ending, as in {Path(name).stem}:registry"
    if PathFinder.find_spec(name.lower()) and name != name.lower():
        return f": did you mean {name.lower()!r}?"
    return ""


def _failed(name: str, error: BaseException) -> str:
    description = traceback.TracebackException.from_exception(error)
    description.stack = traceback.StackSummary.from_list(_their_frames(error))
    return f"the module {name!r} fails when it is imported:\n{''.join(description.format()).rstrip()}"


def _place(error: BaseException) -> str:
    """FILE:LINE of the user's last line before `error`."""
    frames = _their_frames(error)
    frame = next((frame for frame in reversed(frames) if not is_ours(frame)), frames[-1])
    path = Path(frame.filename)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{frame.lineno}"


def _their_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(dropwhile(_is_machinery, traceback.extract_tb(error.__traceback__)))


def _is_machinery(frame: traceback.FrameSummary) -> bool:
    return frame.filename in {__file__, importlib.__file__} or frame.filename.startswith("<frozen importlib")


def _known(found: object, module_name: str) -> str:
    return f"module {module_name!r}" if isinstance(found, ModuleType) else _a(found)


def _a(found: object) -> str:
    return f"the class {found.__name__}" if isinstance(found, type) else f"an object of type {type(found).__name__}"
