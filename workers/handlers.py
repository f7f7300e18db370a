"""A function becomes a handler: which arguments it takes, how it runs, what may go in and come out.

Everything that a signature says is worked out once, at registration; a task then costs one validation in and one
dump out.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from interceptors.chain import Interceptor, check_interceptors
from workers.errors import RegistrationError
from workers.pollers import ORDER, poller_problem
from workers.signatures import Arguments, Result, explain, read_signature
from workers.task import Task

Function = Callable[..., Any]
Number = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Kind(StrEnum):
    """How a handler's function runs."""

    ASYNC = "async"
    """In the worker's event loop."""
    THREAD = "thread"
    """A plain function: in a thread of the worker."""
    PROCESS = "process"
    """A plain function registered with `process=True`: in a process of its own."""


class Limits(TypedDict, total=False):
    """The limits of one activity. What is left out is the worker's setting."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic reads it

    concurrency: Annotated[int, Field(strict=True, ge=1)]
    """Slots: tasks of this activity at once."""
    pollers: Annotated[int, Field(strict=True, ge=1)]
    """Open polls, at most."""
    min_pollers: Annotated[int, Field(strict=True, ge=1)]
    """Open polls while there is nothing to do; with a budget it is always one."""
    initial_pollers: Annotated[int, Field(strict=True, ge=1)]
    """Open polls at the start."""
    heartbeat: Number
    """Seconds between heartbeats; 0 sends none."""
    timeout: Annotated[Number, Field(gt=0)]
    """Seconds that one run of the function may take; then the task fails as `Worker.HandlerTimeout`."""
    rate: Annotated[Number, Field(gt=0)]
    """Tasks a second, at most."""
    breaker: Annotated[int, Field(strict=True, ge=1)]
    """Failures in a row after which this activity is not polled for a while."""
    process: Annotated[bool, Field(strict=True)]
    """Runs the function, which must be a plain one, in a process of its own: for work that keeps a CPU busy."""


class HandlerOptions(Limits, total=False):
    """What may be said of an activity when it is registered."""

    interceptors: Iterable[Interceptor]
    """Its own interceptors, inside those of the registry; the first listed outermost."""


_LIMITS = TypeAdapter(Limits)


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A function registered for an activity. A limit that is None is the worker's setting."""

    name: str
    """The activity's name."""
    function: Function = field(repr=False)
    kind: Kind
    arguments: Arguments = field(repr=False)
    result: Result = field(repr=False)
    interceptors: tuple[Interceptor, ...] = field(default=(), repr=False)
    """All of its interceptors but the worker's own, outermost first."""
    concurrency: int | None = None
    pollers: int | None = None
    min_pollers: int | None = None
    initial_pollers: int | None = None
    heartbeat: float | None = None
    timeout: float | None = None
    rate: float | None = None
    breaker: int | None = None

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


def make_handler(name: str, function: Function, options: HandlerOptions) -> Handler:
    """`function` as the handler of the activity `name`.

    Raises `RegistrationError`, naming the activity, for a signature or an option that could never work.
    """
    arguments, result = read_signature(name, function)
    own = check_interceptors(options.get("interceptors", ()), f"activity {name}")
    limits = _limits(name, {key: value for key, value in options.items() if key != "interceptors"})
    return Handler(
        name=name,
        function=function,
        kind=_kind(name, function, arguments, process=limits.pop("process", False)),
        arguments=arguments,
        result=result,
        interceptors=own,
        **limits,
    )


def _limits(name: str, options: dict[str, Any]) -> dict[str, Any]:
    try:
        limits: dict[str, Any] = dict(_LIMITS.validate_python(options))
    except ValidationError as error:
        raise RegistrationError(f"activity {name}: {explain(error)}") from None
    if problem := poller_problem({limit: limits.get(limit) for limit in ORDER}):
        raise RegistrationError(f"activity {name}: {problem}")
    return limits


def _kind(name: str, function: Function, arguments: Arguments, *, process: bool) -> Kind:
    if not process:
        return Kind.ASYNC if _is_async(function) else Kind.THREAD
    if _is_async(function):
        raise RegistrationError(
            f"activity {name}: an async function runs in the worker's loop; process=True needs a plain one"
        )
    if arguments.task_name or arguments.task_position is not None:
        raise RegistrationError(f"activity {name}: a function in another process cannot take the Task")
    if arguments.streams:
        raise RegistrationError(f"activity {name}: a function in another process cannot take a PayloadStream")
    return Kind.PROCESS


def _is_async(function: Function) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - the method itself is wanted
