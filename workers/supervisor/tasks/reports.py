"""Results on their way to Step Functions: repeated until they are accepted or no longer wanted."""

from collections.abc import Awaitable, Callable
from enum import StrEnum

import anyio
import structlog

from workers.backoff import Backoff
from workers.errors import ErrorName
from workers.failures import Failure, refusal
from workers.metrics import Metrics
from workers.stepfunctions.protocol import (
    DeniedError,
    RefusedError,
    ServiceError,
    StepFunctions,
    TaskClosedError,
    ThrottledError,
    TransientError,
)

log = structlog.get_logger(__name__)

_FIRST_RETRY = 0.2
_LONGEST_RETRY = 4.0


class Fate(StrEnum):
    """What became of a report."""

    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    """A repeated report was answered "closed": most likely an earlier one was accepted and its answer lost."""
    CLOSED = "closed"
    """Step Functions no longer waited for the task."""
    REFUSED = "refused"
    """Step Functions took neither the result nor the failure that stood in for it."""


class Reports:
    """Reports results and failures through throttling, faults of the service and loss of the network."""

    def __init__(self, client: StepFunctions, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    async def success(self, token: str, output: str) -> tuple[Fate, Failure | None]:
        """Reports `output`, JSON text. If Step Functions refuses it, reports a failure instead and returns it too."""
        try:
            return await self._deliver(self._client.send_task_success, token, output), None
        except RefusedError as error:
            refused = refusal(ErrorName.INVALID_OUTPUT, f"Step Functions refused the output: {error}")
            return await self.failure(token, refused), refused

    async def failure(self, token: str, failure: Failure) -> Fate:
        """Reports `failure`."""
        try:
            return await self._deliver(self._client.send_task_failure, token, failure.error, failure.cause)
        except RefusedError as error:
            log.error("report refused", error=error.code, request_id=error.request_id)  # noqa: TRY400 - no stack needed
            return Fate.REFUSED

    async def _deliver(self, send: Callable[..., Awaitable[None]], *report: str) -> Fate:
        backoff = None
        while True:
            try:
                await send(*report)
                return Fate.ACCEPTED
            except TaskClosedError:
                return Fate.UNCONFIRMED if backoff else Fate.CLOSED
            except (TransientError, DeniedError) as error:
                backoff = backoff or Backoff(initial=_FIRST_RETRY, maximum=_LONGEST_RETRY)
                await self._wait(backoff, error)

    async def _wait(self, backoff: Backoff, error: ServiceError) -> None:
        self._metrics.report_retried(error.operation)
        if isinstance(error, ThrottledError):
            self._metrics.throttled(error.operation)
        delay = backoff.next()
        log.warning("report not delivered", error=error.code, attempt=backoff.failures, again_in=round(delay, 3))
        await anyio.sleep(delay)
