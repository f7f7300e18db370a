"""Work side by side, without a group around its errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def side_by_side() -> AsyncIterator[TaskGroup]:
    """A task group for parts of one work. When one fails, the others are cancelled and its error raised as it is."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as failed:
        error: BaseException = failed
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from error.__cause__


@asynccontextmanager
async def background() -> AsyncIterator[TaskGroup]:
    """A task group for work that accompanies the body and ends with it. What the body raises is raised as it is."""
    failure: BaseException | None = None
    async with anyio.create_task_group() as group:
        try:
            yield group
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised below, where no group is put around it
            failure = error
        group.cancel_scope.cancel()
    if failure:
        raise failure
