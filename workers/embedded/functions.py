"""The functions of an application as activities of its own."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Protocol, cast

from workers.errors import RegistrationError
from workers.handlers import Handler, HandlerOptions, Kind, Limits
from workers.registry import Registry


class Owner(Protocol):
    """Whoever owns the functions."""

    def own(self, name: str) -> str:
        """The name of one of them outside of the application."""


def own_registry(
    functions: Registry | Mapping[str, Callable[..., Any]], owner: Owner
) -> tuple[Registry, frozenset[str]]:
    """A registry of the functions under the names of `owner`, and the names under which definitions know them.

    Raises `RegistrationError` for what can be no handler.
    """
    given = functions if isinstance(functions, Registry) else _registered(functions)
    own = Registry()
    own.lifespans.extend(given.lifespans)
    for handler in given:
        own.add(owner.own(handler.name), handler.function, **_options(handler))
    return own, frozenset(handler.name for handler in given)


def _registered(functions: Mapping[str, Callable[..., Any]]) -> Registry:
    registry = Registry()
    for name, function in functions.items():
        if not callable(function):
            raise RegistrationError(f"function {name} is {function!r}, which cannot be called")
        registry.add(name, function)
    return registry


def _options(handler: Handler) -> HandlerOptions:
    """What was said when it was registered."""
    known = Limits.__annotations__.keys() & {field.name for field in fields(handler)}
    said = {name: value for name in known if (value := getattr(handler, name)) is not None}
    options: dict[str, Any] = {**said, "interceptors": handler.interceptors, "process": handler.kind is Kind.PROCESS}
    return cast("HandlerOptions", options)  # the names are those of Limits
