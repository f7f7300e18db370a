"""Where a state is tried: an execution that nobody knows, with a mock in the place of services."""

from typing import Any, NoReturn

from workers.local.calls import Call, Service, Services
from workers.local.integrations.http_tasks import Exchange, HttpService
from workers.local.integrations.resources import Ending
from workers.local.region import Region
from workers.local.run import Pace, Run
from workers.local.values.errors import StateError


class Answering:
    """A service that gives a mocked result or error."""

    resource_type = "mock"
    resource = "answer"
    ends_with: Ending = "answer"

    def __init__(self, result: Any, error: StateError | None) -> None:
        self._result = result
        self._error = error

    def check(self, parameters: Any) -> None:
        """A mock takes any."""

    async def submit(self, call: Call) -> Any:
        del call
        if self._error:
            raise self._error
        return self._result

    async def finish(self, call: Call, answer: Any) -> Any:
        del call
        return answer

    async def abort(self, call: Call, answer: Any) -> None:
        """There is no job."""


class Overheard:
    """A service whose answer is kept, to be shown."""

    def __init__(self, service: Service, stage: "Stage") -> None:
        self._service = service
        self._stage = stage
        self.resource_type = service.resource_type
        self.resource = service.resource
        self.ends_with = service.ends_with

    def check(self, parameters: Any) -> None:
        self._service.check(parameters)

    async def submit(self, call: Call) -> Any:
        try:
            self._stage.answers.append(await self._service.submit(call))
        finally:
            if isinstance(self._service, HttpService):
                self._stage.exchange = self._service.exchange
        return self._stage.answers[-1]

    async def finish(self, call: Call, answer: Any) -> Any:
        return await self._service.finish(call, answer)

    async def abort(self, call: Call, answer: Any) -> None:
        await self._service.abort(call, answer)


class Stage:
    """What a run asks of the engine, on a stage: the services of `region` unless there is a mock."""

    def __init__(self, region: Region, mock: Answering | None) -> None:
        self.place = region.place
        self.clock = region.clock
        self.tokens = region.tokens
        self.pace: Pace | None = None
        self.answers: list[Any] = []
        self.exchange: Exchange | None = None
        """Of an HTTP task."""
        self._region = region
        self._mock = mock

    @property
    def services(self) -> Services:
        return self

    def service(self, resource: str, *, state: str, machine: str, test_case: str | None) -> Service:
        services = self._region.services
        known = self._mock or services.service(resource, state=state, machine=machine, test_case=test_case)
        return Overheard(known, self)

    def mock(self, *, state: str, machine: str, test_case: str) -> Service | None:
        return self._region.services.mock(state=state, machine=machine, test_case=test_case)

    def has_case(self, machine: str, test_case: str) -> bool:
        return self._region.services.has_case(machine, test_case)

    def knows_activity(self, arn: str) -> bool:
        return self._region.knows_activity(arn)

    def changed(self, run: Run) -> None:
        """Nothing of it is stored."""

    def ended(self, run: Run) -> None:
        """Nobody waits for it."""

    def queue_task(self, *_: Any) -> NoReturn:
        raise _unstaged()

    discard_task = add_map_run = map_run = stop = queue_task

    def run_child(self, *_: Any, **__: Any) -> NoReturn:
        raise _unstaged()


def _unstaged() -> RuntimeError:
    return RuntimeError("activities and Maps have to be mocked where a state is tried")
