"""Services of tasks, called as the engine calls them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from workers.local import LocalStepFunctions
from workers.local.calls import Call
from workers.local.integrations.functions import LambdaContext
from workers.local.integrations.integrations import Integrations, Stand

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:{}"


class NoStepFunctions:
    """For services that start nothing."""

    async def ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError(operation, parameters)

    async def wait_for_end(self, execution: str) -> None:
        raise NotImplementedError(execution)


def call(parameters: Any, **changes: Any) -> Call:
    """One attempt at a task."""
    given = {"execution": "arn:execution", "machine": "machine", "state": "Here", "attempt": 0, "role": "arn:role"}
    return Call(**{**given, "parameters": parameters, **changes})


async def ask(integrations: Integrations, resource: str, parameters: Any, **changes: Any) -> Any:
    """The answer of what `resource` stands for; `aws-sdk:s3:getObject` is short for its ARN."""
    arn = resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"
    service = integrations.service(arn, state="Here", machine="machine", test_case=None)
    return await service.submit(call(parameters, **changes))


async def greet(event: Any, context: LambdaContext) -> Any:
    return {"hello": event["name"], "from": context.function_name}


def double(event: int) -> int:
    return event * 2


def refuse(event: Any) -> None:
    raise LookupError(event)


def unserializable(_: Any) -> object:
    return object()


FUNCTIONS = {"greet": greet, "double": double, "refuse": refuse, "unserializable": unserializable}


@pytest.fixture
async def integrations(engine: LocalStepFunctions) -> AsyncIterator[Integrations]:
    """All services of a region, with a few Lambda functions."""
    services = Integrations(engine.url, "us-east-1", NoStepFunctions(), Stand(functions=FUNCTIONS))
    yield services
    await services.close()
