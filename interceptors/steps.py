"""Interceptors in Stepwise's form: functions for entering, leaving and failing, around one context."""

import inspect
from collections.abc import Callable
from typing import Any

from interceptors.chain import CallNext
from workers.errors import RegistrationError
from workers.task import Task

_NEEDED = {"enter": "request", "leave": "response", "error": None}

Context = dict[str, Any]
"""`task`, `request` and `send_heartbeat` while entering; `response` too while leaving; `error` too while failing."""

Step = Callable[[Context], Any]
"""Takes the context and returns it, or a new one; plain or async."""


class Steps:
    """An interceptor made of steps that take a context and return it.

    `enter` may change `request`, which becomes the input; `leave` may change `response`, which becomes the result.
    `error` is called when `enter` or anything further in has raised: it may raise, or delete `error` from the
    context, which makes `response` the result. `send_heartbeat` is a function without arguments.

        Steps("count", enter=lambda ctx: {**ctx, "request": ctx["request"] | {"n": 1}})
    """

    def __init__(
        self, name: str, *, enter: Step | None = None, leave: Step | None = None, error: Step | None = None
    ) -> None:
        for stage, step in (("enter", enter), ("leave", leave), ("error", error)):
            if step is not None and not callable(step):
                raise RegistrationError(f"Steps {name!r}: {stage} is {step!r}, it must be a function of the context")
        self.name = name
        self._enter = enter
        self._leave = leave
        self._error = error

    def __repr__(self) -> str:
        return f"Steps({self.name!r})"

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Enters, calls on, and leaves or fails."""
        context: Context = {"task": task, "request": task.input, "send_heartbeat": task.heartbeat}
        try:
            context = await self._taken("enter", self._enter, context)
            response = await call_next(task.replace(input=context["request"]))
        except Exception as error:
            failed = await self._taken("error", self._error, {**context, "error": error})
            found = failed.get("error")
            if found is error:
                raise
            if found is not None:
                raise found from error
            return failed.get("response")
        return (await self._taken("leave", self._leave, {**context, "response": response}))["response"]

    async def _taken(self, stage: str, step: Step | None, context: Context) -> Context:
        if step is None:
            return context
        returned = step(context)
        if inspect.isawaitable(returned):
            returned = await returned
        if not isinstance(returned, dict):
            raise TypeError(f"{self!r}: {stage} returned {type(returned).__name__}, it must return the context")
        if (needed := _NEEDED[stage]) and needed not in returned:
            raise TypeError(f"{self!r}: {stage} returned a context without {needed!r}")
        return returned
