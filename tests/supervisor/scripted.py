"""Step Functions that answers as a test says: for faults that the engine cannot be made to show."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel

from interceptors.chain import CallNext
from workers.arns import Place
from workers.metrics import Metrics
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.protocol import ActivityTask, ServiceError, TransientError
from workers.supervisor.activity import Activity, activities
from workers.supervisor.drain import Drain
from workers.supervisor.polling.poller import Poller
from workers.supervisor.polling.slots import Budget, Slots

Answer = ServiceError | ActivityTask | None | Callable[[], Any]


def fault(kind: type[ServiceError] = TransientError, code: str = "Fault") -> ServiceError:
    return kind("Call", code, "as the test says")


class Scripted:
    """Each operation takes its next answer from a list; a poll without one is held until the test ends it."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.calls: list[tuple[Any, ...]] = []
        self.times: dict[str, list[float]] = defaultdict(list)
        self.open = 0
        self.most_open = 0
        self.released = anyio.Event()

    async def get_activity_task(self, activity_arn: str, worker_name: str) -> ActivityTask | None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await anyio.lowlevel.checkpoint()
            if self.answers["poll"]:
                return self._next("poll", activity_arn)
            await self.released.wait()
            return None
        finally:
            self.open -= 1

    async def send_task_success(self, token: str, output: str) -> None:
        self._next("success", token, output)

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        self._next("failure", token, error)

    async def send_task_heartbeat(self, token: str) -> None:
        self._next("beat", token)

    async def create_activity(self, name: str) -> None:
        self._next("create", name)

    def _next(self, operation: str, *details: Any) -> Any:
        self.calls.append((operation, *details))
        self.times[operation].append(anyio.current_time())
        answer = self.answers[operation].pop(0) if self.answers[operation] else None
        if isinstance(answer, ServiceError):
            raise answer
        return answer() if callable(answer) else answer


def an_activity(settings: Settings | None = None, **options: Any) -> Activity:
    registry = Registry()
    registry.add("work", lambda event, /: event, **options)
    return activities(registry, settings or Settings(), Place("aws", "us-east-1", "123456789012"))[0]


def a_poller(
    client: Scripted,
    activity: Activity,
    *,
    drain: Drain,
    started: Callable[[Poller, ActivityTask], None],
    budget: Budget | None = None,
    create: bool = True,
    metrics: Metrics | None = None,
) -> Poller:
    async def chain(task: Any) -> Any:
        return task

    async def run(poller: Poller, received: ActivityTask, _: asyncio.Task[None]) -> None:
        started(poller, received)

    unused: CallNext = chain
    return Poller(
        activity,
        unused,
        slots=Slots(activity.concurrency, budget or Budget(None, 1)),
        client=client,
        metrics=metrics or Metrics(active=False),
        worker_name="scripted",
        drain=drain,
        create=create,
        tasks=asyncio.get_running_loop(),
        started=run,
        troubled=lambda: None,
    )
