"""Step Functions itself as a service: nested executions, and its whole API by the SDK integration."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.model import OperationModel, ServiceModel

from workers.local.calls import Call
from workers.local.errors import ApiError
from workers.local.integrations.base import BaseService
from workers.local.integrations.failures import OptimizedNames, Refusal, optimized_error, sdk_error
from workers.local.integrations.metadata import metadata
from workers.local.integrations.resources import Resource
from workers.local.integrations.sdk import fitted
from workers.local.integrations.shapes import epoch_milliseconds, from_botocore, iso, json_or_text
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

_NAMES = OptimizedNames("StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException")


class StepFunctions(Protocol):
    """The engine's own Step Functions, as its API answers."""

    async def ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation; times are seconds since 1970. Raises `ApiError`."""

    async def wait_for_end(self, execution: str) -> None:
        """Returns when the execution with this ARN has ended."""


class SfnService(BaseService):
    """`aws-sdk:sfn:*`: any operation."""

    def __init__(
        self, resource: Resource, model: ServiceModel, operation: OperationModel, step_functions: StepFunctions
    ) -> None:
        super().__init__(resource)
        self._model = model
        self._operation = operation
        self._step_functions = step_functions

    def check(self, parameters: Any) -> None:
        fitted(parameters, self._operation)

    async def submit(self, call: Call) -> Any:
        parameters = fitted(call.parameters, self._operation)
        try:
            answer = await self._step_functions.ask(self._operation.name, parameters)
        except ApiError as error:
            raise sdk_error(self._model, _refusal(error), attempts=True) from None
        return _told(answer, self._operation, iso)


class NestedExecutions(BaseService):
    """`states:startExecution`, also as `.sync`, `.sync:2` and `.waitForTaskToken`."""

    def __init__(
        self, resource: Resource, model: ServiceModel, operation: OperationModel, step_functions: StepFunctions
    ) -> None:
        super().__init__(resource)
        self._model = model
        self._operation = operation
        self._step_functions = step_functions
        self._reads_output = resource.pattern == ".sync:2"

    def check(self, parameters: Any) -> None:
        fitted(parameters, self._operation, stringify=True)

    async def submit(self, call: Call) -> Any:
        given = {"Input": {}, "Name": str(uuid.uuid4()), **call.parameters}
        answer = await self._ask("StartExecution", fitted(given, self._operation, stringify=True))
        return _told(answer, self._operation, epoch_milliseconds) | metadata()

    async def finish(self, call: Call, answer: Any) -> Any:
        del call
        arn = answer["ExecutionArn"]
        await self._step_functions.wait_for_end(arn)
        described = await self._ask("DescribeExecution", {"executionArn": arn})
        told = _told(described, self._model.operation_model("DescribeExecution"), epoch_milliseconds)
        if self._reads_output:
            told |= {key: json_or_text(told[key]) for key in ("Input", "Output") if isinstance(told.get(key), str)}
        if told["Status"] != "SUCCEEDED":
            raise StateError("States.TaskFailed", compact(told))
        return told

    async def abort(self, call: Call, answer: Any) -> None:
        try:
            cause = f"The execution {call.execution} that started it has gone on without it."
            await self._step_functions.ask("StopExecution", {"executionArn": answer["ExecutionArn"], "cause": cause})
        except ApiError:
            return  # it is forgotten already

    async def _ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._step_functions.ask(operation, parameters)
        except ApiError as error:
            raise optimized_error(_NAMES, self._model, _refusal(error)) from None


def _refusal(error: ApiError) -> Refusal:
    return Refusal(error.code, error.message, 400, str(uuid.uuid4()))


def _told(answer: dict[str, Any], operation: OperationModel, write_moment: Callable[[datetime], Any]) -> dict[str, Any]:
    """An answer of the API as a task's result: what is None left out, moments read."""
    shape = operation.output_shape
    kinds = {name: member.type_name for name, member in shape.members.items()} if shape is not None else {}
    present = {
        name: datetime.fromtimestamp(value, UTC) if kinds.get(name) == "timestamp" else value
        for name, value in answer.items()
        if value is not None
    }
    told: dict[str, Any] = from_botocore(present, shape, write_moment)
    return told
