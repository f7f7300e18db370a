"""How the AWS SDK for Java, which Step Functions uses, names services and errors, and how botocore names them."""

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

_BOTOCORE_NAMES = {
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "sagemakerruntime": "sagemaker-runtime",
    "sfn": "stepfunctions",
}
"""Services whose name in the SDK for Java is not botocore's without dashes."""


@cache
def service_model(name: str) -> ServiceModel | None:
    """The model of the service that Step Functions calls `name`; None where there is none."""
    session = botocore.session.get_session()
    known = {service.replace("-", ""): service for service in session.get_available_services()}
    try:
        return session.get_service_model(_BOTOCORE_NAMES.get(name, known.get(name, name)))
    except UnknownServiceError:
        return None


def operation_model(model: ServiceModel, action: str) -> OperationModel | None:
    """The operation `action`, such as `putItem`; None where there is none."""
    wanted = action.lower()
    name = next((name for name in model.operation_names if name.lower() == wanted), None)
    return model.operation_model(name) if name else None


def java_name(model: ServiceModel) -> str:
    """`DynamoDb`, `S3`, `SecretsManager`: what errors of the AWS SDK integrations start with."""
    words = re.findall(r"[A-Z]+[a-z0-9]*|[a-z0-9]+", str(model.service_id))
    return "".join(word.capitalize() for word in words)


def java_exception(model: ServiceModel, code: str, base: str) -> str:
    """The class of an error with this code: its own if the service's model has it, else the service's `base`."""
    for shape in model.error_shapes:
        error: dict[str, Any] = shape.metadata.get("error") or {}
        if code in {shape.name, error.get("code")}:
            return exception_class(str(shape.name))
    return base


def exception_class(name: str) -> str:
    """`NoSuchKey` is NoSuchKeyException, `KmsInvalidStateException` itself."""
    return name if name.endswith("Exception") else f"{name.removesuffix('Fault')}Exception"
