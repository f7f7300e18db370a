"""Lambda functions, played by Python callables."""

import asyncio
import inspect
import json
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workers.local.calls import Call
from workers.local.integrations.base import BaseService
from workers.local.integrations.metadata import metadata
from workers.local.integrations.resources import Resource
from workers.local.integrations.sdk import unfit
from workers.local.integrations.shapes import json_or_text
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

Function = Callable[..., Any]
"""Takes the event, and a `LambdaContext` if it has a second parameter. Coroutine functions are awaited, all others
run in a thread."""


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's context object that means something here."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"


class FunctionService(BaseService):
    """A function called by its ARN, or by `lambda:invoke`, plain or by the SDK integration."""

    def __init__(self, resource: Resource, functions: Mapping[str, Function]) -> None:
        super().__init__(resource)
        self._resource = resource
        self._functions = functions

    def check(self, parameters: Any) -> None:
        if self._resource.service != "lambda-arn":
            _function_name(parameters)

    async def submit(self, call: Call) -> Any:
        if self._resource.service == "lambda-arn":
            return await self._result(self._resource.action, self._resource.arn, call.parameters)
        parameters, name = call.parameters, _function_name(call.parameters)
        payload = parameters.get("Payload", {})
        if self._resource.sdk and isinstance(payload, str):
            payload = json_or_text(payload)
        if parameters.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        result = await self._result(_bare_name(name), name, payload)
        if parameters.get("InvocationType") == "Event":
            return {"StatusCode": 202, "Payload": ""}
        told = {"ExecutedVersion": "$LATEST", "StatusCode": 200}
        return told | ({"Payload": compact(result)} if self._resource.sdk else {"Payload": result, **metadata()})

    async def _result(self, name: str, arn: str, event: Any) -> Any:
        function = self._functions.get(name)
        if function is None:
            known = ", ".join(sorted(self._functions)) or "none"
            why = f"Function not found: {arn}. The embedded engine has {known}: see --lambda"
            raise StateError("Lambda.ResourceNotFoundException", f"{why} (Service: Lambda, Status Code: 404)")
        context = LambdaContext(name, arn)
        try:
            return _as_json(await _called(function, event, context))
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its result
            raise _function_error(error, context) from None


def _function_name(parameters: Any) -> str:
    if not isinstance(parameters, dict) or not isinstance(name := parameters.get("FunctionName"), str):
        raise unfit(parameters, "The field 'FunctionName' is required but was missing")
    return name


def _bare_name(name: str) -> str:
    """`NAME` of `NAME`, `NAME:alias`, `ACCOUNT:function:NAME` and of an ARN."""
    if ":function:" in name:
        name = name.partition(":function:")[2]
    return name.partition(":")[0]


async def _called(function: Function, event: Any, context: LambdaContext) -> Any:
    arguments = (event, context)[: _parameters(function)]
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def _parameters(function: Function) -> Literal[1, 2]:
    """How many arguments a function takes by position."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 2
    positional = [one for one in parameters if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}]
    return 2 if len(positional) >= 2 else 1


def _as_json(result: Any) -> Any:
    """The result as the caller gets it: through JSON and back."""
    return json.loads(json.dumps(result))


def _function_error(error: Exception, context: LambdaContext) -> StateError:
    """An exception as Lambda's runtime for Python reports it, and Step Functions with it."""
    frames = traceback.format_tb(error.__traceback__)
    cause = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": context.aws_request_id,
        "stackTrace": frames[2:] or frames,
    }
    return StateError(type(error).__name__, compact(cause))
