"""The face of the embedded Step Functions: one class, and what a shell needs to find it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from os import PathLike
from types import TracebackType
from typing import Any, Self

from anyio import CancelScope, to_thread
from anyio.from_thread import start_blocking_portal

from workers.arns import LOCAL_REGION
from workers.local.http.messages import Answer, Request
from workers.local.options import KEEP, POLL_HOLD, ClockName, Options
from workers.local.serving import serve


def environment(url: str) -> dict[str, str]:
    """The variables with which the AWS SDKs and the AWS CLI talk to the engine at `url`."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": LOCAL_REGION,
        "AWS_DEFAULT_REGION": LOCAL_REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        # StartSyncExecution would go to http://sync-127.0.0.1
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


class LocalStepFunctions:
    """Step Functions with activities, and the services that moto plays, on a port of this machine.

        async with LocalStepFunctions() as local:
            client = boto3.client("stepfunctions", endpoint_url=local.url)

    It serves from a thread with an event loop of its own: clients that block work as well as asynchronous ones.
    Several may follow one another or run side by side in one process; each knows nothing of the state machines,
    activities and executions of another.

    `port`: 0 takes a free one. `poll_hold`: seconds for which a poll is held. `keep`: finished executions that are
    remembered. `data`: a directory in which everything is kept, so that executions go on where they stood when an
    engine is started there again, even after kill -9; without it, what the engine knows ends with it. `clock`: `real`;
    `skip`, which jumps to the next timer whenever no handler runs and no task is on its way to one; `manual`, which
    stands still until `advance()`. `harsh`: it behaves as AWS on a bad day, the same for the same `seed`: throttled
    requests, lost answers, changes that are seen late, polls that swallow a task. `functions`: Python callables that
    play Lambda functions, by name. `mocks`: a file with results and errors of tasks by state and attempt, in the form
    of AWS's own mock configuration.

    Making it raises `UsageError` for a number that makes no sense; entering it for a port that cannot be had or a
    wrong file, and `MissingExtraError` where an extra is missing.
    """

    url: str
    """http://127.0.0.1:PORT, from the moment the context is entered."""

    def __init__(
        self,
        *,
        port: int = 0,
        poll_hold: float = POLL_HOLD,
        keep: int = KEEP,
        data: PathLike[str] | str | None = None,
        clock: ClockName = "real",
        harsh: bool = False,
        seed: int | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        mocks: PathLike[str] | None = None,
    ) -> None:
        self._options = Options(
            port=port,
            poll_hold=poll_hold,
            keep=keep,
            data=data,
            clock=clock,
            harsh=harsh,
            seed=seed,
            functions=functions or {},
            mocks=mocks,
        )
        self._exit = ExitStack()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """The variables with which the AWS SDKs and the AWS CLI talk to this engine."""
        return environment(self.url)

    async def advance(self, seconds: float) -> None:
        """Moves the time of an engine whose clock is `manual`; returns when all that follows at once has happened."""
        await to_thread.run_sync(self._portal.call, self._clock.advance, seconds)

    async def answer(self, request: Request) -> Answer | None:
        """What it answers to a request that comes without HTTP, from any event loop; None where the answer is lost."""
        answered = asyncio.run_coroutine_threadsafe(self._server(request), self._loop)
        return await asyncio.wrap_future(answered)

    async def __aenter__(self) -> Self:
        await to_thread.run_sync(self._start)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with CancelScope(shield=True):
            await to_thread.run_sync(self._exit.close)

    def _start(self) -> None:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal(name="embedded Step Functions"))
            context = self._portal.wrap_async_context_manager(serve(self._options))
            self.url, self._clock, self._server = stack.enter_context(context)
            self._loop = self._portal.call(asyncio.get_running_loop)
            self._exit = stack.pop_all()
