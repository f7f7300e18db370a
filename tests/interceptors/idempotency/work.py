"""Work with an effect, and tasks that can be closed."""

import anyio

from tests.interceptors.tasks import Run
from workers.task import CancelReason, Task


async def until_renewed(renewals: list[float], times: int) -> None:
    with anyio.fail_after(30):
        while len(renewals) < times:
            await anyio.sleep(0.02)


class Charging:
    """A handler with an effect that must happen once."""

    def __init__(self, result: object = "charged") -> None:
        self.charges = 0
        self.result = result

    async def __call__(self, task: Task) -> object:
        self.charges += 1
        return self.result


class Closable(Run):
    """The worker's side of a task that can be cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = anyio.CancelScope()

    def cancel(self, reason: CancelReason) -> None:
        self.cancel_reason = reason
        self.scope.cancel()
