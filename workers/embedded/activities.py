"""Whose the activities of an application's functions are."""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from workers.embedded.definitions import Names
from workers.manager.errors import ConflictError
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError

OWNER = "application"
"""The tag that says whose a machine or an activity is: `x` of `shop-cart` and `cart-x` of `shop` have one name."""


class Activities:
    """Claims the activities of `functions` once in the life of the process, before anything is polled or registered.

    `create`: whether those that are missing are created. One without an owner becomes the application's.
    """

    def __init__(self, names: Names, functions: Iterable[str], *, create: bool) -> None:
        self._names = names
        self._functions = sorted(functions)
        self._create = create
        self._claimed = False
        self._turn = anyio.Lock()

    async def claim(self, account: Account) -> None:
        """Raises `ConflictError` where one is another application's, whose tasks would be taken."""
        async with self._turn:
            if self._claimed:
                return
            for function in self._functions:
                if await self._owner(account, function) not in {None, self._names.application}:
                    raise ConflictError(
                        f"the activity {self._names.full(function)} exists already, and was not made for the "
                        f"application {self._names.application}: give the function {function} another name"
                    )
            self._claimed = True

    async def _owner(self, account: Account, function: str) -> str | None:
        """The application that the activity belongs to by now; None where nobody may say."""
        name, tag = self._names.own(function), {"key": OWNER, "value": self._names.application}
        arn, created = account.activity(name), None
        tags = await _tags(account, arn)
        if tags is None and self._create:
            # Of two that create it, the tags of the first count: what it has is read afterwards.
            await account.call("CreateActivity", name=self._names.full(function), tags=[tag])
            created = time.monotonic()
            tags = await _tags(account, arn, created=created)
        if tags is not None and OWNER not in tags and self._create:
            await account.call("TagResource", created=created, resourceArn=arn, tags=[tag])
            tags = await _tags(account, arn)
        return None if tags is None else tags.get(OWNER)


def claiming(
    activities: Activities, opened: Callable[[], AbstractAsyncContextManager[Account]]
) -> Callable[[], AbstractAsyncContextManager[None]]:
    """A lifespan that claims them before a worker polls; `opened` opens the account."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with opened() as account:
            await activities.claim(account)
        yield

    return lifespan


async def _tags(account: Account, arn: str, *, created: float | None = None) -> dict[str, str] | None:
    """None where there is no such activity."""
    try:
        answer = await account.call("ListTagsForResource", created=created, resourceArn=arn)
    except ServiceError as error:
        if is_missing(error):
            return None
        raise
    return {tag["key"]: tag["value"] for tag in answer["tags"]}
