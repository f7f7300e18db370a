"""The optimized integrations of AWS services: `arn:aws:states:::sqs:sendMessage` and their like.

They take objects where a service wants text, tell the HTTP metadata of the answer beside the answer, name errors as
the first SDK for Java did, and some wait for the job that they start (developer guide, "Integrating services").
"""

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

from botocore.model import OperationModel, ServiceModel

from workers.local.calls import Call
from workers.local.integrations.base import BaseService
from workers.local.integrations.clients import Clients
from workers.local.integrations.failures import OptimizedNames, optimized_error, refusal_of
from workers.local.integrations.jobs import JOBS, Job
from workers.local.integrations.metadata import metadata
from workers.local.integrations.resources import Resource
from workers.local.integrations.sdk import asked, fitted
from workers.local.integrations.shapes import epoch_milliseconds, from_botocore, json_or_text
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

NAMES: dict[str, OptimizedNames] = {
    "batch": OptimizedNames("Batch", "AWSBatch", "AWSBatchException"),
    "bedrock": OptimizedNames("Bedrock", "BedrockRuntime", "BedrockRuntimeException"),
    "codebuild": OptimizedNames("CodeBuild", "AWSCodeBuild", "AWSCodeBuildException"),
    "dynamodb": OptimizedNames("DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "ecs": OptimizedNames("ECS", "AmazonECS", "AmazonECSException"),
    "elasticmapreduce": OptimizedNames("ElasticMapReduce", "AmazonElasticMapReduce", "AmazonElasticMapReduceException"),
    "events": OptimizedNames("EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"),
    "glue": OptimizedNames("Glue", "AWSGlue", "AWSGlueException"),
    "lambda": OptimizedNames("Lambda", "AWSLambda", "AWSLambdaException"),
    "sagemaker": OptimizedNames("SageMaker", "AmazonSageMaker", "AmazonSageMakerException"),
    "sns": OptimizedNames("SNS", "AmazonSNS", "AmazonSNSException"),
    "sqs": OptimizedNames("SQS", "AmazonSQS", "AmazonSQSException"),
    "athena": OptimizedNames("Athena", "AmazonAthena", "AmazonAthenaException"),
}
"""The services that have optimized integrations and that botocore can call."""

_OTHER_NAMES = {"bedrock": "bedrockruntime", "elasticmapreduce": "emr"}


def botocore_service(service: str) -> str:
    """The name by which the SDK knows the service of an optimized integration."""
    return _OTHER_NAMES.get(service, service)


class OptimizedService(BaseService):
    """One action of one service, with its job if it waits for one."""

    def __init__(self, resource: Resource, model: ServiceModel, operation: OperationModel, clients: Clients) -> None:
        super().__init__(resource)
        self._names = NAMES[resource.service]
        self._service = resource.service
        self._model = model
        self._operation = operation
        self._clients = clients
        self._job: Job | None = JOBS.get(f"{resource.service}:{resource.action}")

    def check(self, parameters: Any) -> None:
        fitted(parameters, self._operation, stringify=True)

    async def submit(self, call: Call) -> Any:
        if self._service == "sqs":
            await _check_host(call.parameters, self._names.prefix)
        answer = await self._ask(self._operation, fitted(call.parameters, self._operation, stringify=True))
        result = from_botocore(answer, self._operation.output_shape, epoch_milliseconds)
        if self._service == "events" and result.get("FailedEntryCount"):
            raise StateError("EventBridge.FailedEntry", compact(result))
        if self._service == "lambda" and isinstance(result.get("Payload"), str):
            result["Payload"] = json_or_text(result["Payload"])
        return result | _metadata(answer["ResponseMetadata"])

    async def finish(self, call: Call, answer: Any) -> Any:
        if self._job is None:
            return await super().finish(call, answer)
        while True:
            described = await self._describe(answer)
            if (ended := self._job.ended(described)) is not None:
                if ended:
                    return described
                raise StateError("States.TaskFailed", compact(described))
            await asyncio.sleep(self._job.interval)

    async def abort(self, call: Call, answer: Any) -> None:
        del call
        if self._job is None:
            return
        try:
            await self._ask(self._operation_named(self._job.stop), self._job.stop_parameters(answer))
        except StateError:
            return  # it has ended by itself

    async def _describe(self, answer: Any) -> Any:
        job = self._job
        assert job is not None  # noqa: S101 - only jobs are described
        operation = self._operation_named(job.describe)
        described = await self._ask(operation, job.describe_parameters(answer))
        return job.described(from_botocore(described, operation.output_shape, epoch_milliseconds))

    def _operation_named(self, name: str) -> OperationModel:
        return self._model.operation_model(name)

    async def _ask(self, operation: OperationModel, parameters: dict[str, Any]) -> dict[str, Any]:
        client = await self._clients.get(self._model.service_name)
        return await asked(client, operation.name, parameters, self._refuse, client_error=f"{self._names.prefix}.")

    def _refuse(self, response: dict[str, Any]) -> StateError:
        return optimized_error(self._names, self._model, refusal_of(response))


async def _check_host(parameters: Any, prefix: str) -> None:
    """AWS sends to the host in the URL of a queue; here all queues are behind the engine's port."""
    url = parameters.get("QueueUrl") if isinstance(parameters, dict) else None
    host = urlsplit(url).hostname if isinstance(url, str) else None
    if not host or host.endswith(".amazonaws.com"):
        return
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except (socket.gaierror, UnicodeError):
        why = f"Unable to execute HTTP request: {host}: Name or service not known"
        raise StateError(f"{prefix}.SdkClientException", why) from None


def _metadata(response: dict[str, Any]) -> dict[str, Any]:
    headers = {str(name): str(value) for name, value in response.get("HTTPHeaders", {}).items()}
    return metadata(headers, status=response.get("HTTPStatusCode", 200), request_id=response.get("RequestId", ""))
