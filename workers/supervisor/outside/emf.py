"""`--metrics emf` of a worker: its metrics in CloudWatch's embedded metric format, printed once a minute.

Where stdout goes to CloudWatch Logs (ECS with awslogs, EKS, Lambda), CloudWatch makes metrics of them by itself.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self

import anyio.to_thread
import structlog

from workers.emf import EmbeddedLines, to_stdout
from workers.errors import MissingExtraError
from workers.metrics import Metrics

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

log = structlog.get_logger(__name__)

_OF_THE_PROCESS = frozenset({"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"})
"""Metrics of the process that are worth their price there."""


class EmbeddedMetrics:
    """Prints while entered: every `interval` seconds, and what is left at the end; in a thread, whatever handlers do.

    `namespace`: that of the activities, a dimension of all numbers: namespaces share an account, and CloudWatch has
    nothing else that tells the fleet of one from that of another.
    Raises `MissingExtraError` without prometheus-client.
    """

    def __init__(
        self,
        metrics: Metrics,
        worker: Callable[[], str],
        *,
        namespace: str | None = None,
        interval: float = 60.0,
        write: Callable[[str], None] = to_stdout,
    ) -> None:
        if metrics.registry is None:
            raise MissingExtraError("--metrics emf", "metrics")
        self._metrics = metrics
        dimensions = {"namespace": namespace} if namespace else {}
        self._lines = EmbeddedLines(self._families, lambda: {"worker": worker()}, dimensions=dimensions)
        self._interval = interval
        self._write = write
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded metrics", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.end)

    def end(self, within: float | None = None) -> None:
        """Prints what is left, and waits until that is done: for `within` seconds, in case nobody reads it."""
        self._ended.set()
        self._thread.join(within)

    def lines(self) -> Iterable[str]:
        """What has changed since the last call, one line for each set of labels."""
        return self._lines.lines()

    def _families(self) -> "Iterable[Family]":
        for family in self._metrics.families():
            if family.name.startswith("workers_") or family.name in _OF_THE_PROCESS:
                yield family

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._interval):
                self._print()
            self._print()
        except OSError as error:
            log.warning("metrics no longer printed", error=str(error))

    def _print(self) -> None:
        for line in self.lines():
            self._write(line)
