"""The AWS SDK integrations: any action of any service (`arn:aws:states:::aws-sdk:dynamodb:putItem`)."""

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel, ServiceModel

from workers.local.calls import Call
from workers.local.integrations.base import BaseService
from workers.local.integrations.clients import Clients
from workers.local.integrations.failures import refusal_of, sdk_error
from workers.local.integrations.names import java_name
from workers.local.integrations.resources import Resource
from workers.local.integrations.shapes import UnfitError, from_botocore, iso, to_botocore
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.local.values.scope import compact


class Refuse(Protocol):
    """Makes a task's error of what botocore raised for an answer."""

    def __call__(self, response: dict[str, Any]) -> StateError: ...


class SdkService(BaseService):
    """One action of one service, called by its name in the SDK."""

    def __init__(self, resource: Resource, model: ServiceModel, operation: OperationModel, clients: Clients) -> None:
        super().__init__(resource)
        self._model = model
        self._operation = operation
        self._clients = clients

    def check(self, parameters: Any) -> None:
        fitted(parameters, self._operation)

    async def submit(self, call: Call) -> Any:
        parameters = fitted(call.parameters, self._operation)
        client = await self._clients.get(self._model.service_name)
        answer = await asked(
            client, self._operation.name, parameters, self._refuse, client_error=f"{java_name(self._model)}."
        )
        return from_botocore(answer, self._operation.output_shape, iso)

    def _refuse(self, response: dict[str, Any]) -> StateError:
        return sdk_error(self._model, refusal_of(response))


def fitted(parameters: Any, operation: OperationModel, *, stringify: bool = False) -> dict[str, Any]:
    """`parameters` for botocore. Raises `EvaluationError` States.Runtime for those that the action does not take."""
    try:
        written: dict[str, Any] = to_botocore(parameters, operation.input_shape, stringify=stringify)
    except UnfitError as error:
        raise unfit(parameters, str(error)) from None
    missing = [name for name in getattr(operation.input_shape, "required_members", ()) if name not in written]
    if missing:
        names = ", ".join(f"The field '{name[:1].upper()}{name[1:]}' is required but was missing" for name in missing)
        raise unfit(parameters, names)
    return written


def unfit(parameters: Any, why: str) -> EvaluationError:
    """For parameters with which a task cannot start."""
    told = f"The Parameters '{compact(parameters)}' could not be used to start the Task: [{why}]"
    return EvaluationError(RUNTIME, told)


async def asked(
    client: Any, operation: str, parameters: dict[str, Any], refuse: Refuse, *, client_error: str
) -> dict[str, Any]:
    """The answer of an action, with streams read. `client_error`: how an error of the client itself starts."""
    try:
        answer: dict[str, Any] = await client._make_api_call(operation, parameters)  # noqa: SLF001 - by the API's name
        for name, member in answer.items():
            if hasattr(member, "read"):
                async with member as stream:
                    answer[name] = await stream.read()
    except ClientError as error:
        raise refuse(dict(error.response)) from None
    except BotoCoreError as error:
        raise StateError(f"{client_error}SdkClientException", str(error)) from None
    return answer
