"""Tasks: activities, which moto cannot run, and AWS services, whose parameters it does not translate."""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import StateTaskActivity
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import boto_client

from workers.local.seams.table import replaces, uses

uses(StateTaskActivity, "_eval_parameters", "evaluates the input of an activity's task")
uses(ExecutionState, "_evaluate_with_timeout", "runs one attempt at a task, in a frame of its own")
uses(Environment, "_frames", "the branches, iterations and attempts inside of one")
uses(Environment, "_program_state", "how far an execution, a branch or an attempt is")
uses(StateTaskActivity, "_from_error", "makes history events of the ways in which a task ends badly")


def install_activity_state(activity_state: type[Any]) -> None:
    """Makes the interpreter use `activity_state` for every task of an activity."""
    replaces(
        state_task_factory,
        "StateTaskActivity",
        activity_state,
        "moto's state waits for polls that its API does not have, and loses results that come at once",
    )


_evaluate_service = uses(StateTaskService, "_eval_execution", "runs one attempt at a task of an AWS service")


def install_callback_attempts(begin: Callable[[Any], None]) -> None:
    """Makes the interpreter call `begin` with the frame of each attempt at a task that waits for its token."""

    def evaluate_attempt(task: Any, env: Any) -> None:
        if task.resource.condition == ResourceCondition.WaitForTaskToken:
            begin(env)
        _evaluate_service(task, env)

    callback_class: Any = StateTaskServiceCallback
    callback_class._eval_execution = evaluate_attempt  # noqa: SLF001 - it inherits the one noted above


@cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@cache
def _operation_model(service: str, method: str) -> Any:
    model = _service_model(service)
    return next((model.operation_model(name) for name in model.operation_names if xform_name(name) == method), None)


def _translate_parameters(
    task: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    operation = _operation(task, boto_service_name, service_action_name)
    if operation and operation.input_shape:
        task._to_boto_request(parameters, operation.input_shape)  # noqa: SLF001 - noted below


def _translate_response(
    task: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    operation = _operation(task, boto_service_name, service_action_name)
    if operation and operation.output_shape:
        task._from_boto_response(response, operation.output_shape)  # noqa: SLF001 - noted below


def _operation(task: Any, boto_service_name: str | None, service_action_name: str | None) -> Any:
    service = task._get_boto_service_name(boto_service_name)  # noqa: SLF001 - noted below
    return _operation_model(service, task._get_boto_service_action(service_action_name))  # noqa: SLF001 - noted below


for _name in ("_to_boto_request", "_from_boto_response", "_get_boto_service_name", "_get_boto_service_action"):
    uses(StateTaskService, _name, "translates between Step Functions' names of parameters and the SDK's")
replaces(
    StateTaskService,
    "_normalise_parameters",
    _translate_parameters,
    "moto gives an SDK whose parameters are in camelCase the PascalCase of state machines",
)
replaces(StateTaskService, "_normalise_response", _translate_response, "the same, on the way back")


def _service_error_name(service_name: str) -> str:
    """DynamoDB is DynamoDb, S3 is S3: how the AWS SDK for Java writes the ids of services."""
    service_id = str(_service_model({"sfn": "stepfunctions"}.get(service_name, service_name)).service_id)
    return "".join(word.capitalize() for word in re.findall(r"[A-Z]+[a-z0-9]*", service_id))


replaces(
    StateTaskServiceAwsSdk,
    "_normalise_service_error_name",
    staticmethod(_service_error_name),
    "moto knows the error names of two services",
)


class _Clients:
    """Stands for `boto3` where the interpreter makes clients for the tasks of AWS services."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._session = botocore.session.get_session()

    def client(self, *, service_name: str, region_name: str, endpoint_url: str, config: Config, **keys: str) -> Any:
        with self._lock:
            return self._client(service_name, region_name, endpoint_url, config.read_timeout, tuple(keys.items()))

    @lru_cache(64)  # noqa: B019 - there is one instance, as long as the process lives
    def _client(
        self, service: str, region: str, endpoint_url: str, timeout: float, keys: tuple[tuple[str, str], ...]
    ) -> Any:
        config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=timeout,
            read_timeout=timeout,
            max_pool_connections=64,
            inject_host_prefix=False,
        )
        return self._session.create_client(
            service, region_name=region, endpoint_url=endpoint_url, config=config, **dict(keys)
        )


replaces(
    boto_client, "boto3", _Clients(), "moto makes a client for each task, slowly, in ways that are not safe in threads"
)
