"""The interceptor protocol, and how interceptors around a handler become one call."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from workers.errors import RegistrationError
from workers.task import Task

CallNext = Callable[[Task], Awaitable[Any]]
"""The rest of the chain: takes the task (or a copy from `task.replace`), returns the JSON-ready result."""


class Interceptor(Protocol):
    """Any async callable `(task, call_next)` that returns a JSON-ready result.

    It may call `call_next` once, several times or not at all, with this task or a changed copy, and may raise.
    One that is also an async context manager is entered when the worker starts and left after its drain.
    """

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Handles `task`, usually by `return await call_next(task)` with something before, after or around it."""


def compose(interceptors: Iterable[Interceptor], handler: CallNext) -> CallNext:
    """One call out of `interceptors` around `handler`. The first listed is the outermost."""
    call = handler
    for interceptor in reversed(list(interceptors)):
        call = _link(interceptor, call)
    return call


def _link(interceptor: Interceptor, call_next: CallNext) -> CallNext:
    return lambda task: interceptor(task, call_next)


def check_interceptors(interceptors: Iterable[Any], where: str) -> tuple[Interceptor, ...]:
    """`interceptors` as a tuple. Raises `RegistrationError` naming `where`, the index and what is wrong."""
    if not isinstance(interceptors, Iterable):
        raise RegistrationError(f"{where}: interceptors must be a list of them, not {interceptors!r}")
    found = tuple(interceptors)
    for index, interceptor in enumerate(found):
        if problem := _problem(interceptor):
            name = getattr(interceptor, "__qualname__", None) or repr(interceptor)
            raise RegistrationError(f"{where}: interceptor {index} ({name}) {problem}")
    return found


def _problem(interceptor: Any) -> str | None:
    if isinstance(interceptor, type):
        return "is a class: list an instance of it"
    if not callable(interceptor):
        return "cannot be called: it must be an async function of (task, call_next)"
    if not (inspect.iscoroutinefunction(interceptor) or inspect.iscoroutinefunction(type(interceptor).__call__)):
        return "is not async: write `async def` and return `await call_next(task)`"
    try:
        inspect.signature(interceptor).bind(None, None)
    except TypeError:
        return "must take two arguments: (task, call_next)"
    return None
