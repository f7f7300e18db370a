"""Several writers of one SQLite in one transaction: the disk is waited for once, and not by each of them."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from workers.manager.errors import StoreUnavailableError

_MOST = 16
"""Writers that follow the first one into its transaction: it has to wait for all of them."""


class _Shared:
    """A transaction that others may follow into."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.over = anyio.Event()
        self.failure: BaseException | None = None
        """Why nothing of it was kept."""

    def check(self) -> None:
        """Raises `StoreUnavailableError` if nothing was, or will be, kept."""
        if self.failure:
            raise StoreUnavailableError(f"the database did not take it: {self.failure}") from self.failure


class _Turn:
    """One who waits for others to write."""

    def __init__(self) -> None:
        self.begins = anyio.Event()
        self.ends = anyio.Event()
        self.shared: _Shared | None = None
        """The transaction to follow into; None to begin one."""


class Writers:
    """Lets writers in one after the other; `wait`: for so many seconds at most.

    Who comes while another one writes follows into its transaction, behind a savepoint: what fails there leaves nothing
    behind and is no harm to the others. Each returns when all that was written is on the disk, and fails when it is
    not. Nobody waits for company: while one transaction is being kept, those gather that make the next one.
    """

    def __init__(self, engine: AsyncEngine, *, wait: float) -> None:
        self._engine = engine
        self._wait = wait
        self._waiting: deque[_Turn] = deque()
        self._busy = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, whole or not at all. Not to be cancelled. Raises `StoreUnavailableError`."""
        turn = await self._turn()
        async with self._following(turn, turn.shared) if turn.shared else self._leading() as connection:
            yield connection

    async def _turn(self) -> _Turn:
        turn = _Turn()
        if not self._busy:
            self._busy = True
            return turn
        self._waiting.append(turn)
        try:
            with anyio.move_on_after(self._wait):
                await turn.begins.wait()
        except BaseException:
            turn.ends.set()
            raise
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)
        if not turn.begins.is_set():
            raise StoreUnavailableError(f"the database does not answer: others wrote for {self._wait} s")
        return turn

    @asynccontextmanager
    async def _leading(self) -> AsyncIterator[AsyncConnection]:
        shared: _Shared | None = None
        try:
            async with self._engine.begin() as connection:
                yield connection
                shared = _Shared(connection)
                await self._let_in(shared)
        except BaseException as error:
            if shared is not None:
                shared.failure = shared.failure or error
            raise
        finally:
            if shared is not None:
                shared.over.set()
            self._next()

    async def _let_in(self, shared: _Shared) -> None:
        for _ in range(_MOST):
            if not self._waiting:
                return
            turn = self._waiting.popleft()
            turn.shared = shared
            turn.begins.set()
            await turn.ends.wait()
            shared.check()

    def _next(self) -> None:
        """Lets the next one begin a transaction."""
        self._busy = bool(self._waiting)
        if self._busy:
            self._waiting.popleft().begins.set()

    @asynccontextmanager
    async def _following(self, turn: _Turn, shared: _Shared) -> AsyncIterator[AsyncConnection]:
        refusal: Exception | None = None
        try:
            async with shared.connection.begin_nested():
                yield shared.connection
        except SQLAlchemyError as error:
            shared.failure = error  # SQLite may have rolled back all of it
            raise
        except Exception as error:  # noqa: BLE001 - raised below: what it was judged by must be kept
            refusal = error
        except BaseException as error:
            shared.failure = error  # the connection was given up in the middle of a statement
            raise
        finally:
            turn.ends.set()
        await shared.over.wait()
        shared.check()
        if refusal:
            raise refusal
