"""The protocol on the stock aiobotocore client."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from workers.stepfunctions.connection import Connection
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.protocol import ActivityTask
from workers.version import __version__

POLL_HOLD = 60.0
"""Seconds that GetActivityTask is held before it answers that there is no task (API reference)."""
POLL_READ_TIMEOUT = 70.0
"""Seconds: the API reference asks for 65 or more. A shorter one would drop polls that Step Functions still holds."""
REPORT_READ_TIMEOUT = 5.0
"""Seconds. A report or a beat that got no answer is sent again: with the pause before that in less than 10 s."""
CONNECT_TIMEOUT = 5.0


class Timeouts(NamedTuple):
    """Seconds that a client waits for a connection, for the answer of a poll, and for that of a report."""

    connect: float = CONNECT_TIMEOUT
    poll: float = POLL_READ_TIMEOUT
    report: float = REPORT_READ_TIMEOUT


TIMEOUTS = Timeouts()


class BotocoreClient:
    """Step Functions over two aiobotocore clients: polls must never keep a report or a heartbeat waiting."""

    def __init__(self, polls: Any, reports: Any) -> None:
        self._polls = polls
        self._reports = reports

    @property
    def meta(self) -> Any:
        """What botocore worked out: endpoint, region, configuration."""
        return self._polls.meta

    @property
    def timeouts(self) -> Timeouts:
        """The worker's, or those that the session's default client configuration has in their place."""
        config = self._polls.meta.config
        return Timeouts(config.connect_timeout, config.read_timeout, self._reports.meta.config.read_timeout)

    async def get_activity_task(self, activity_arn: str, worker_name: str) -> ActivityTask | None:
        """See `StepFunctions`."""
        with Translation("GetActivityTask"):
            answer = await self._polls.get_activity_task(activityArn=activity_arn, workerName=worker_name)
        token = answer.get("taskToken")
        return ActivityTask(token, answer.get("input", "null")) if token else None

    async def send_task_success(self, token: str, output: str) -> None:
        """See `StepFunctions`."""
        with Translation("SendTaskSuccess"):
            await self._reports.send_task_success(taskToken=token, output=output)

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        """See `StepFunctions`."""
        with Translation("SendTaskFailure"):
            await self._reports.send_task_failure(taskToken=token, error=error, cause=cause)

    async def send_task_heartbeat(self, token: str) -> None:
        """See `StepFunctions`."""
        with Translation("SendTaskHeartbeat"):
            await self._reports.send_task_heartbeat(taskToken=token)

    async def create_activity(self, name: str) -> None:
        """See `StepFunctions`."""
        with Translation("CreateActivity"):
            await self._reports.create_activity(name=name)


@asynccontextmanager
async def open_client(connection: Connection, *, polls: int, reports: int) -> AsyncIterator[BotocoreClient]:
    """A client for at most `polls` open polls and `reports` other calls at the same time.

    Neither of its two pools retries: the worker does, and it must see every attempt. What else the session's default
    client configuration sets (`set_default_client_config`) stands before the worker's own choice, but for a read
    timeout that would drop polls which Step Functions still holds.
    """
    from aiobotocore.config import AioConfig

    async with AsyncExitStack() as stack:
        given = connection.session.get_default_client_config()

        async def client(connections: int, read_timeout: float, least: float = 0.0) -> Any:
            config = AioConfig(
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=read_timeout,
                # A user agent of its own spares botocore the building of one, a fifth of a call's CPU.
                user_agent=f"sfn-workers/{__version__}",
                tcp_keepalive=True,
            )
            config = config.merge(given) if given else config
            config = config.merge(
                AioConfig(
                    read_timeout=max(least, config.read_timeout or 0.0),
                    max_pool_connections=max(1, connections),
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    parameter_validation=False,  # the worker sends only what it has checked
                )
            )
            return await stack.enter_async_context(connection.client("stepfunctions", config))

        of_polls = await client(polls, POLL_READ_TIMEOUT, POLL_READ_TIMEOUT)
        yield BotocoreClient(of_polls, await client(reports, REPORT_READ_TIMEOUT))
