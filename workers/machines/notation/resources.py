"""What a task calls, by name: an activity, a Lambda function, a Glue job, a Batch job."""

import re
from dataclasses import dataclass
from typing import Any

from workers.arns import Place, check_name, is_arn, namespaced
from workers.errors import UsageError
from workers.machines.notation.values import ValueRefusedError

PLACEHOLDER = re.compile(r"\$\{[^}]+\}")
"""What CloudFormation and Terraform fill in; taken as it is wherever a text can stand."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that a task calls by the name of one of its parameters."""

    resource: str
    """What follows `arn:PARTITION:states:::`."""
    parameter: str
    """The parameter that takes the name."""


SERVICES = {
    "batch": Service("batch:submitJob.sync", "JobDefinition"),
    "glue": Service("glue:startJobRun.sync", "JobName"),
}
_SHORTHANDS = ("lambda", *SERVICES)


@dataclass(frozen=True, slots=True)
class Call:
    """What a task calls."""

    arn: str
    parameters: dict[str, Any]
    """Parameters that the short name stands for."""
    activity: bool
    """Whether workers do it: it is the name of an activity, or the ARN of one."""
    named: bool
    """Whether it was given by name, and not as an ARN."""


_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")


def call_of(resource: object, place: Place, namespace: str | None) -> Call:
    """What `resource` stands for: a name, `lambda:NAME`, `glue:JOB`, `batch:JOB_DEFINITION`, an ARN or a handler.

    Only activities get the `namespace`. Raises `ValueRefusedError`.
    """
    if not isinstance(resource, str):
        resource = _handler_name(resource)
    if is_arn(resource) or PLACEHOLDER.match(resource):
        return Call(str(resource), {}, bool(_ACTIVITY.fullmatch(resource)), named=False)
    shorthand, colon, name = resource.partition(":")
    if not colon:
        return Call(place.activity(_activity(resource, namespace)), {}, activity=True, named=True)
    if shorthand not in _SHORTHANDS or not name:
        raise ValueRefusedError(
            f"{resource!r} names nothing that a task can call: write an activity's name, lambda:NAME, glue:JOB, "
            "batch:JOB_DEFINITION or an ARN"
        )
    if shorthand == "lambda":
        arn = f"arn:{place.partition}:lambda:{place.region}:{place.account}:function:{name}"
        return Call(arn, {}, activity=False, named=True)
    service = SERVICES[shorthand]
    arn = f"arn:{place.partition}:states:::{service.resource}"
    return Call(arn, {service.parameter: name}, activity=False, named=True)


def _activity(name: str, namespace: str | None) -> str:
    try:
        return check_name(namespaced(name, namespace), "activity")
    except UsageError as error:
        raise ValueRefusedError(str(error)) from None


def _handler_name(resource: object) -> str:
    from workers.handlers import Handler

    if isinstance(resource, Handler):
        return resource.name
    if callable(resource):
        name = getattr(resource, "__name__", type(resource).__name__)
        raise ValueRefusedError(f"{name} is a function, and no handler: register it, and give registry[{name!r}]")
    raise ValueRefusedError(f"{resource!r} is no resource: write an activity's name, an ARN or a handler")


def name_of(arn: str, payload: Any, place: Place, namespace: str | None) -> str | None:
    """The short name that `arn`, called with `payload`, may be written as; `call_of` tells whether it is exact."""
    activities = place.activity(namespaced("x", namespace)).removesuffix("x")
    if arn.startswith(activities):
        return arn.removeprefix(activities)
    functions = f"arn:{place.partition}:lambda:{place.region}:{place.account}:function:"
    if arn.startswith(functions):
        return f"lambda:{arn.removeprefix(functions)}"
    for shorthand, service in SERVICES.items():
        if arn == f"arn:{place.partition}:states:::{service.resource}" and isinstance(payload, dict):
            return f"{shorthand}:{payload.get(service.parameter)}"
    return None
