"""The worker of one run on the engine of the tests."""

from contextlib import AbstractAsyncContextManager, nullcontext

from workers.registry import Registry
from workers.reloaded.fresh import Fresh
from workers.reloaded.run import alone
from workers.settings import Settings
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.protocol import StepFunctions
from workers.supervisor.activity import Activity, activities
from workers.supervisor.worker import Worker

_POLLS = {"initial_pollers": 1}
"""There is one execution."""


class EngineWorker(Worker):
    """A worker that knows where it is without asking, and that nobody looks at from outside.

    Its watchdog would be a thread more for each run, which takes longer to come and go than the execution.
    """

    def __init__(self, run: Fresh, registry: Registry, settings: Settings, client: StepFunctions) -> None:
        settings = alone(settings, run.account).model_copy(update=_POLLS)
        super().__init__(registry, settings, arns=run.arns, client=client)
        self._run = run

    def _outside(self, *, signals: bool) -> AbstractAsyncContextManager[None]:
        del signals
        return nullcontext()

    async def _prepare(self) -> tuple[Connection, list[Activity]]:
        account = self._run.account
        return account.connection, activities(self._registry, self.settings, account.place, arns=self._arns)
