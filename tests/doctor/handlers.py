"""Handlers to be examined: what each raises is in its source, and in that of what it calls."""

import json
from functools import partial, wraps

from workers import ActivityError, Task
from workers.errors import WorkersError


class OrderMissing(Exception):  # noqa: N818 - the name that Step Functions gets
    pass


class Renamed(Exception):  # noqa: N818
    error_name = "Shop.Renamed"


class OwnActivityError(ActivityError):
    error_name = "Shop.Own"


def quiet(x: int) -> int:
    return x


async def several(kind: str) -> str:
    if kind == "missing":
        raise OrderMissing(kind)
    if kind == "renamed":
        raise Renamed
    if kind == "named":
        raise ActivityError("Shop.Named", "said")
    if kind == "own":
        raise OwnActivityError("computed")
    return kind


def deep(order: str) -> str:
    return _find(order)


def _find(order: str) -> str:
    if not order:
        raise LookupError("no order")
    return json.dumps(order)


def caught(order: str) -> str:
    try:
        if not order:
            raise OrderMissing(order)  # noqa: TRY301 - this is what is to be read
        return _find(order)
    except (OrderMissing, KeyError):
        return "none"
    except LookupError as error:
        raise Renamed from error


def passed_on(order: str) -> str:
    try:
        raise OrderMissing(order)  # noqa: TRY301 - this is what is to be read
    except OrderMissing:
        json.dumps(order)
        raise
    finally:
        json.dumps(order)


def computed(order: str) -> str:
    error = OrderMissing(order)
    raise error


def computed_name(order: str) -> str:
    raise ActivityError(f"Shop.{order}")


def nested(order: str) -> str:
    def never_called() -> None:
        raise OrderMissing(order)

    return str(never_called)


def decorated(function):
    @wraps(function)
    def around(*arguments, **named):
        return function(*arguments, **named)

    return around


@decorated
def wrapped(order: str) -> str:
    raise OrderMissing(order)


part = partial(several, kind="own")


class Callable:
    def __call__(self, order: str) -> str:
        raise WorkersError(order)


def beating(order: str, task: Task) -> str:
    task.heartbeat()
    return order
