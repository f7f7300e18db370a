"""The registry: which function handles which activity."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, Unpack, overload

from interceptors.chain import Interceptor, check_interceptors
from workers.arns import activity_name, check_name, is_arn
from workers.errors import RegistrationError, UsageError
from workers.handlers import Handler, HandlerOptions, make_handler

F = TypeVar("F", bound=Callable[..., Any])
Lifespan = Callable[[], AbstractAsyncContextManager[Any]]
"""Opens what handlers share (a database pool, say) when the worker starts, and closes it after the drain."""


class Registry:
    """Handlers by activity name, with what they share.

    `lifespan` is called once per worker; the async context manager that it returns is entered before the first
    poll and left after the last report. `interceptors` run around every handler of this registry, the first
    listed outermost.
    """

    def __init__(self, *, lifespan: Lifespan | None = None, interceptors: Iterable[Interceptor] = ()) -> None:
        self.lifespans: list[Lifespan] = [] if lifespan is None else [_check_lifespan(lifespan)]
        self._interceptors = check_interceptors(interceptors, "registry")
        self._handlers: dict[str, Handler] = {}

    @overload
    def activity(self, function: F, /) -> F: ...
    @overload
    def activity(self, name: str | None = None, /, **options: Unpack[HandlerOptions]) -> Callable[[F], F]: ...
    def activity(self, name: Any = None, /, **options: Unpack[HandlerOptions]) -> Any:
        """Registers the decorated function, which stays what it is, as an activity's handler.

        `name` is the activity's name; without one it is the function's. `HandlerOptions` lists the options.
        """
        if callable(name):
            return self.activity(**options)(name)

        def register(function: F) -> F:
            self.add(_own_name(function) if name is None else name, function, **options)
            return function

        return register

    def add(self, name: str, function: Callable[..., Any], **options: Unpack[HandlerOptions]) -> None:
        """Registers `function` as the handler of the activity `name` (a name, or the ARN of an activity).

        Raises `RegistrationError` for a name that is taken or that AWS would refuse, a signature that could
        never work, a malformed interceptor or a wrong option.
        """
        if not isinstance(name, str):
            raise RegistrationError(f"{name!r} is no name for an activity: give it a text")
        try:
            check_name(activity_name(name) if is_arn(name) else name, "activity")
        except UsageError as error:
            raise RegistrationError(str(error)) from None
        self._put(make_handler(name, function, options).wrapped_by(self._interceptors))

    def include(self, other: "Registry") -> None:
        """Takes over the handlers of `other`, with its interceptors inside this registry's, and its lifespan."""
        if not isinstance(other, Registry):
            raise RegistrationError(f"{other!r} is not a registry: only another registry can be included")
        for handler in other:
            self._put(handler.wrapped_by(self._interceptors))
        self.lifespans.extend(lifespan for lifespan in other.lifespans if lifespan not in self.lifespans)

    def __getitem__(self, name: str) -> Handler:
        try:
            return self._handlers[name]
        except KeyError:
            known = ", ".join(sorted(self._handlers)) or "none"
            raise UsageError(f"no handler is registered for activity {name!r}; registered: {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._handlers

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers.values())

    def __len__(self) -> int:
        return len(self._handlers)

    def __repr__(self) -> str:
        return f"Registry({', '.join(self._handlers)})"

    def _put(self, handler: Handler) -> None:
        if first := self._handlers.get(handler.name):
            both = f"{_shown(first.function)} and {_shown(handler.function)}"
            raise RegistrationError(f"activity {handler.name} has two handlers, {both}: an activity has one")
        self._handlers[handler.name] = handler


def _own_name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        raise RegistrationError(f"{function!r} has no name of its own: give the activity one")
    return name


def _shown(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


def _check_lifespan(lifespan: Lifespan) -> Lifespan:
    if hasattr(type(lifespan), "__aexit__"):
        raise RegistrationError(
            "the registry's lifespan is a context manager already: give the function, without calling it"
        )
    if not callable(lifespan):
        raise RegistrationError(
            f"the registry's lifespan must be a function that returns an async context manager, not {lifespan!r}"
        )
    return lifespan
