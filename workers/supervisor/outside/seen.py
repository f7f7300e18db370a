"""All that shows a worker to the outside while it lives, in one place for the worker to enter."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from workers.metrics import Metrics
from workers.settings import Settings
from workers.supervisor.leave import before_leaving
from workers.supervisor.outside.emf import EmbeddedMetrics
from workers.supervisor.outside.status import Status
from workers.supervisor.outside.watchdog import Watchdog, snapshot_on_sigusr1

_ECS_AGENT = "ECS_AGENT_URI"
"""Where the ECS agent of this task answers."""

_TO_PRINT = 2.0
"""Seconds in which the last numbers must have been printed when the process is left with handlers that do not end."""


def metrics_for(settings: Settings) -> Metrics:
    """The metrics of a worker: kept only where somebody reads them."""
    return Metrics(active=settings.health_port is not None or settings.metrics == "emf")


@asynccontextmanager
async def seen_from_outside(
    settings: Settings, status: Callable[[], Status], metrics: Metrics, *, signals: bool
) -> AsyncIterator[None]:
    """Watchdog, health port, embedded metrics and scale-in protection, as `settings` ask, while entered.

    `status` is called from other threads at any time: it may only read. `signals` adds SIGUSR1, in a main thread.
    Enter it before AWS is asked anything and leave it after the last report.
    Raises `UsageError` for a port that cannot be had, or metrics without their packages.
    """
    async with AsyncExitStack() as stack:
        watchdog = await stack.enter_async_context(Watchdog(status, metrics))
        if signals:
            stack.enter_context(snapshot_on_sigusr1(watchdog))
        if settings.metrics == "emf":
            embedded = EmbeddedMetrics(metrics, lambda: status().worker, namespace=settings.namespace)
            await stack.enter_async_context(embedded)
            stack.enter_context(before_leaving(lambda _: embedded.end(within=_TO_PRINT)))
        if settings.health_port is not None:
            # With Python's HTTP server, which is not loaded where nobody asks for it.
            from workers.supervisor.outside.health import Health

            health = Health(
                port=settings.health_port,
                host=settings.health_host,
                status=status,
                metrics=metrics,
                watchdog=watchdog,
            )
            await stack.enter_async_context(health)
        if settings.ecs_protection and (agent := os.environ.get(_ECS_AGENT)):
            await stack.enter_async_context(_protected(agent, lambda: bool(status().running)))
        yield


@asynccontextmanager
async def _protected(agent: str, busy: Callable[[], bool]) -> AsyncIterator[None]:
    from workers.supervisor.outside.ecs import ScaleInProtection  # with an HTTP client

    protection = ScaleInProtection(agent, busy)
    async with anyio.create_task_group() as group:
        group.start_soon(protection.run, name="scale-in protection")
        try:
            yield
        finally:
            group.cancel_scope.cancel()
