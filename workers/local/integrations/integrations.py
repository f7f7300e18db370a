"""Finds what the Resource of a Task stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.local.calls import Service
from workers.local.integrations.clients import Clients
from workers.local.integrations.functions import Function, FunctionService
from workers.local.integrations.http_tasks import HttpService
from workers.local.integrations.jobs import JOBS
from workers.local.integrations.mocks import MockedService, Mocks
from workers.local.integrations.names import operation_model, service_model
from workers.local.integrations.nested import NestedExecutions, SfnService, StepFunctions
from workers.local.integrations.optimized import NAMES, OptimizedService, botocore_service
from workers.local.integrations.resources import NOTHING, Resource, not_recognized, parse_resource
from workers.local.integrations.sdk import SdkService

WAITED_FOR = JOBS.keys() | {"states:startExecution"}
"""What may end in `.sync`."""

_WITH_TOKENS = frozenset({"bedrock", "ecs", "events", "lambda", "sns", "sqs", "states"})
"""Services whose optimized integrations can wait for a token (developer guide, "Integrating services")."""


@dataclass(frozen=True)
class Stand:
    """What a user puts in the place of others: Lambda functions by name, and mocked tasks."""

    functions: Mapping[str, Function] = field(default_factory=dict)
    mocks: Mocks = field(default_factory=Mocks)


class Integrations:
    """All services of one region. `url`: where AWS services answer."""

    def __init__(self, url: str, region: str, step_functions: StepFunctions, stand: Stand) -> None:
        self._step_functions = step_functions
        self._stand = stand
        self._clients = Clients(url, region)
        self._region = region

    def has_case(self, machine: str, test_case: str) -> bool:
        """Whether the mock configuration has such a test case."""
        return self._stand.mocks.knows(machine, test_case)

    def service(self, resource: str, *, state: str, machine: str, test_case: str | None) -> Service:
        """What `resource` stands for. Raises `EvaluationError` States.Runtime where it is nothing known."""
        parsed = parse_resource(resource)
        if test_case is not None and (mock := self.mock(state=state, machine=machine, test_case=test_case, of=parsed)):
            return mock
        return self._real(parsed)

    def mock(self, *, state: str, machine: str, test_case: str, of: Resource = NOTHING) -> Service | None:
        """What a test case puts in the place of a state's task; None where it does not."""
        attempts = self._stand.mocks.attempts(machine, test_case, state)
        return None if attempts is None else MockedService(of, attempts)

    async def close(self) -> None:
        await self._clients.close()

    def _played(self, resource: Resource) -> Service | None:
        """What needs no model of a service."""
        called = (resource.service, resource.action)
        if resource.service == "lambda-arn" or called == ("lambda", "invoke"):
            return FunctionService(resource, self._stand.functions)
        if called == ("http", "invoke") and not resource.pattern:
            return HttpService(resource, self._clients, self._region)
        return None

    def _real(self, resource: Resource) -> Service:
        if played := self._played(resource):
            return played
        if not _can_end_so(resource):
            raise not_recognized(resource.arn)
        if resource.service == "states":
            name = "sfn"
        elif resource.sdk:
            name = resource.service
        elif resource.service in NAMES:
            name = botocore_service(resource.service)
        else:
            raise not_recognized(resource.arn)
        model = service_model(name)
        operation = operation_model(model, resource.action) if model is not None else None
        if model is None or operation is None:
            raise not_recognized(resource.arn)
        if resource.service == "states":
            return NestedExecutions(resource, model, operation, self._step_functions)
        if model.service_name == "stepfunctions":
            return SfnService(resource, model, operation, self._step_functions)
        if resource.sdk:
            return SdkService(resource, model, operation, self._clients)
        return OptimizedService(resource, model, operation, self._clients)


def _can_end_so(resource: Resource) -> bool:
    """Whether AWS lets a task with this Resource wait for what it says it waits for."""
    match resource.ends_with:
        case "job":
            return not resource.sdk and f"{resource.service}:{resource.action}" in WAITED_FOR
        case "token":
            return resource.sdk or resource.service in _WITH_TOKENS
        case _:
            return True
