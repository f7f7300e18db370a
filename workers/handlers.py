"""A function becomes a handler: which arguments it takes, how it runs, what may go in and come out.

Everything that a signature says is worked out once, at registration; a task then costs one validation in and one
dump out.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from interceptors.chain import Interceptor
from workers.signatures import Arguments, Result, read_signature
from workers.task import Task

Function = Callable[..., Any]


class Kind(StrEnum):
    """How a handler's function runs."""

    ASYNC = "async"
    """In the worker's event loop."""
    THREAD = "thread"
    """A plain function: in a thread of the worker."""
    PROCESS = "process"
    """A plain function registered with `process=True`: in a process of its own."""


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A function registered for an activity."""

    name: str
    """The activity's name."""
    function: Function = field(repr=False)
    kind: Kind
    arguments: Arguments = field(repr=False)
    result: Result = field(repr=False)
    interceptors: tuple[Interceptor, ...] = ()
    """Its own interceptors, innermost around the function."""
    concurrency: int | None = None
    """Slots of this activity; None: the worker's setting."""
    pollers: int | None = None
    """Most open polls of this activity; None: the worker's setting."""
    heartbeat: float | None = None
    """Seconds between heartbeats; None: the worker's setting, 0: none."""

    def wrapped_by(self, interceptors: tuple[Interceptor, ...]) -> "Handler":
        """A copy with `interceptors` around its own."""
        return replace(self, interceptors=(*interceptors, *self.interceptors))

    def bind(self, task: Task) -> Callable[[], Any]:
        """The call of the function on `task`. Raises `InvalidInputError` when the input does not fit."""
        positional, named = self.arguments.read(task)
        return partial(self.function, *positional, **named)

    def dump(self, returned: Any) -> Any:
        """What the function returned, as JSON-ready data. Raises `InvalidOutputError` when it does not fit."""
        return self.result.dump(returned)


def make_handler(
    name: str,
    function: Function,
    *,
    interceptors: tuple[Interceptor, ...] = (),
    concurrency: int | None = None,
    pollers: int | None = None,
    heartbeat: float | None = None,
) -> Handler:
    """`function` as the handler of the activity `name`.

    Raises `RegistrationError`, naming the activity, for a signature or an annotation that could never work.
    """
    arguments, result = read_signature(name, function)
    return Handler(
        name=name,
        function=function,
        kind=Kind.ASYNC if _is_async(function) else Kind.THREAD,
        arguments=arguments,
        result=result,
        interceptors=interceptors,
        concurrency=concurrency,
        pollers=pollers,
        heartbeat=heartbeat,
    )


def _is_async(function: Function) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - the method itself is wanted
