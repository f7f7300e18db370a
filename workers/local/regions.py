"""The regions of one engine, which come into being when they are first asked."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from workers.arns import LOCAL_ACCOUNT, Place
from workers.local import requests
from workers.local.calls import Services
from workers.local.errors import ApiError
from workers.local.events import Event, ExecutionEvents
from workers.local.executions import Execution
from workers.local.operations.executions import describe
from workers.local.operations.table import OPERATIONS
from workers.local.operations.types import Operation, Parameters
from workers.local.region import Region
from workers.local.services import OtherServices

if TYPE_CHECKING:
    from workers.local.integrations.integrations import Integrations, Stand
    from workers.local.journal import Journal
    from workers.local.store import Store

DEPTH = 128
"""More lines of states than are ever nested in one another."""
_READING = ("Describe", "List", "GetExecutionHistory", "Validate", "TestState")
_OF_TASKS = ("SendTask", "GetActivityTask", "StartExecution", "StartSyncExecution")
"""Operations that change no machine and no activity."""
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class NewRegion(Protocol):
    """Makes a region of the engine."""

    def __call__(
        self, place: Place, *, new_services: Callable[[Region], Services], told: Callable[[Execution], None]
    ) -> Region: ...


class Regions:
    """All regions. `url`: where AWS services answer; `services`: those that do; `stand`: what stands for others.

    `delivered`: what EventBridge makes of events.
    """

    def __init__(
        self,
        url: str,
        new_region: NewRegion,
        services: OtherServices,
        stand: "Stand | None",
        *,
        delivered: Callable[[Sequence[Event]], list[Event]],
    ) -> None:
        self._url = url
        self._new_region = new_region
        self._services_of_aws = services
        self._stand = stand
        self._delivered = delivered
        self._regions: dict[str, Region] = {}
        self._integrations: list[Integrations] = []
        self._events: list[ExecutionEvents] = []
        self._journal: Journal | None = None

    async def keep(self, store: "Store") -> None:
        """Goes on where the `store` says, and keeps there what changes."""
        from workers.local.journal import Journal
        from workers.local.restoring import restore

        self._journal = Journal(store)
        restore(store, self.get)
        for _ in range(DEPTH):  # every line of states makes its tokens known when it has its first turn
            await asyncio.sleep(0)

    def get(self, name: str) -> Region:
        """The region of that name."""
        if name not in self._regions:
            partition = next((value for prefix, value in _PARTITIONS.items() if name.startswith(prefix)), "aws")
            place = Place(partition, name, LOCAL_ACCOUNT)
            events = ExecutionEvents(place, self._services_of_aws, self._delivered)
            self._events.append(events)

            def told(execution: Execution) -> None:
                if not execution.express:
                    events.changed(lambda: describe(region, execution))

            region = self._regions[name] = self._new_region(place, new_services=self._services, told=told)
            region.journal = self._journal
        return self._regions[name]

    async def close(self) -> None:
        """Stops working on all executions."""
        for region in self._regions.values():
            region.close()
        for events in self._events:
            await events.close()
        for integrations in self._integrations:
            await integrations.close()
        if self._journal:
            await self._journal.close()

    def lasting(self, name: str, operation: Operation) -> Operation:
        """An operation that does not answer before what it has changed is stored."""
        if (journal := self._journal) is None or name.startswith(_READING):
            return operation

        async def lasting(region: Region, parameters: Parameters) -> Parameters:
            answer = operation(region, parameters)
            answered = await answer if inspect.isawaitable(answer) else answer
            if not name.startswith(_OF_TASKS):
                journal.answered(region, parameters, answered)
            await journal.settled()
            return answered

        return lasting

    def _services(self, region: Region) -> Services:
        from workers.local.integrations.integrations import Integrations, Stand  # with the AWS SDK: loaded when used

        stand = self._stand or Stand()
        integrations = Integrations(self._url, region.place.region, StepFunctions(self, region), stand)
        self._integrations.append(integrations)
        return integrations


class StepFunctions:
    """The API of one region, for tasks that call it."""

    def __init__(self, regions: Regions, region: Region) -> None:
        self._regions = regions
        self._region = region

    async def ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation; times are seconds since 1970. Raises `ApiError`."""
        found, accepted_parameters = accepted(operation, parameters)
        answer = self._regions.lasting(operation, found)(self._region, accepted_parameters)
        return await answer if inspect.isawaitable(answer) else answer

    async def wait_for_end(self, execution: str) -> None:
        """Returns when the execution with this ARN has ended."""
        await self._region.wait_for_end(self._region.execution(execution))


def accepted(name: str, parameters: Any) -> tuple[Operation, Parameters]:
    """The operation that is asked for, and its parameters. Raises `ApiError`."""
    if (operation := OPERATIONS.get(name)) is None:
        known = name in requests.operations()
        raise ApiError(
            "UnknownOperationException",
            f"The embedded Step Functions does not play {name}" if known else f"Unknown operation {name}",
        )
    return operation, requests.check(name, parameters)
