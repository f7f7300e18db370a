"""Errors of AWS services as a task has them: the two wordings of AWS's two SDKs for Java."""

from dataclasses import dataclass
from typing import Any

from botocore.model import ServiceModel

from workers.local.integrations.names import java_exception, java_name
from workers.local.values.errors import StateError


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service answered instead of a result."""

    code: str
    message: str
    status: int
    request_id: str
    host_id: str | None = None


def refusal_of(response: dict[str, Any]) -> Refusal:
    """Reads the `response` of a botocore ClientError."""
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    return Refusal(
        str(error.get("Code", "")),
        str(error.get("Message", "")),
        int(metadata.get("HTTPStatusCode", 400)),
        str(metadata.get("RequestId", "")),
        metadata.get("HostId"),
    )


def sdk_error(model: ServiceModel, refused: Refusal, *, attempts: bool = False) -> StateError:
    """As the AWS SDK integrations report it: `DynamoDb.ConditionalCheckFailedException` (recorded on AWS)."""
    prefix = java_name(model)
    name = java_exception(model, _BARE_CODES.get(refused.code, refused.code), f"{prefix}Exception")
    details = [f"Service: {prefix}", f"Status Code: {refused.status}", f"Request ID: {refused.request_id}"]
    if prefix == "S3":
        details.append(f"Extended Request ID: {refused.host_id or refused.request_id}")
    counted = " (SDK Attempt Count: 1)" if attempts else ""
    return StateError(f"{prefix}.{name}", f"{refused.message} ({', '.join(details)}){counted}")


_BARE_CODES = {"404": "NoSuchKey", "403": "AccessDenied"}
"""HEAD requests of S3 answer without a body, so botocore has only their status."""


@dataclass(frozen=True, slots=True)
class OptimizedNames:
    """How an optimized integration names its errors."""

    prefix: str
    """`DynamoDB`"""
    service: str
    """`AmazonDynamoDBv2`, of the cause."""
    base: str
    """`AmazonDynamoDBException`, for errors that have no class of their own."""


def optimized_error(names: OptimizedNames, model: ServiceModel, refused: Refusal) -> StateError:
    """As the optimized integrations report it: `DynamoDB.ConditionalCheckFailedException` (recorded on AWS)."""
    name = java_exception(model, refused.code, names.base)
    details = (
        f"Service: {names.service}",
        f"Status Code: {refused.status}",
        f"Error Code: {refused.code}",
        f"Request ID: {refused.request_id}",
        "Proxy: null",
    )
    return StateError(f"{names.prefix}.{name}", f"{refused.message} ({'; '.join(details)})")
