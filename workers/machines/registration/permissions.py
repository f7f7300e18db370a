"""The least that a state machine's role must allow, worked out from the definition."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from workers.arns import Place
from workers.errors import UsageError
from workers.machines.model.machine import Map, StateMachine
from workers.machines.model.states import Task
from workers.machines.registration.grants import Grant, Scope
from workers.machines.registration.integrations import ACTIVITY, grants_of
from workers.machines.registration.literals import literal

_LOGGING = Grant(
    (
        "logs:CreateLogDelivery",
        "logs:CreateLogStream",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutLogEvents",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ),
    ("*",),
)
"""Log deliveries know no resources (Step Functions developer guide, "Logging using CloudWatch Logs")."""
_TRACING = Grant(
    (
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ),
    ("*",),
)


def policy(
    machine: StateMachine, *, name: str, place: Place, logging: bool = False, tracing: bool = False
) -> dict[str, Any] | None:
    """The IAM policy that the role of the state machine `name` needs; None where it needs no permission at all.

    Activities need none: workers have their own. Raises `UsageError`, naming the states, for tasks of which it cannot
    tell.
    """
    scope = Scope(place, name)
    grants: list[Grant] = []
    unknown: list[str] = []
    for state_name, state in machine.walk():
        try:
            if isinstance(state, Task):
                grants += _task(state, scope)
            elif isinstance(state, Map):
                grants += _map(state, scope)
        except LookupError as error:
            unknown.append(f"{state_name} ({error.args[0]})")
    if unknown:
        raise UsageError(
            f"no role can be made for {name}, because it is not known what these need: {', '.join(unknown)}. "
            "Give a role of your own"
        )
    grants += [_LOGGING] * logging + [_TRACING] * tracing
    return {"Version": "2012-10-17", "Statement": _statements(grants)} if grants else None


def _task(task: Task, scope: Scope) -> Iterator[Grant]:
    if ACTIVITY.fullmatch(task.resource):
        return
    yield from grants_of(task.resource, task.parameters or task.arguments or {}, scope)
    if task.credentials:
        role = literal(task.credentials.role_arn)
        if role is None:
            raise LookupError("the role in Credentials is computed")
        yield Grant(("sts:AssumeRole",), (role,))


def _map(state: Map, scope: Scope) -> Iterator[Grant]:
    """Distributed maps start child executions, and read and write S3 (developer guide, "IAM policies for them")."""
    if state.distributed:
        yield Grant(("states:StartExecution",), (scope.machine,))
        children = (scope.arn("states", f"execution:{scope.name}:*"), scope.arn("states", f"execution:{scope.name}/*"))
        yield Grant(("states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"), children)
    if reader := state.item_reader:
        yield from _reading(reader.resource, reader.parameters or reader.arguments or {}, scope)
    if state.result_writer and state.result_writer.resource:
        given = state.result_writer.parameters or state.result_writer.arguments or {}
        prefix = literal(given, "Prefix")
        place = f"{prefix.rstrip('/')}/*" if prefix else "*"
        yield Grant(
            ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"),
            (scope.s3(literal(given, "Bucket"), place),),
        )


def _reading(resource: str, given: Any, scope: Scope) -> Iterator[Grant]:
    bucket = literal(given, "Bucket")
    if re.search(r":s3:listObjectsV2$", resource):
        yield Grant(("s3:ListBucket",), (scope.s3(bucket),))
    else:  # what a manifest names lies in the same bucket, elsewhere
        key = literal(given, "Key")
        manifest = key is None or "manifest" in key
        yield Grant(("s3:GetObject",), (scope.s3(bucket, "*" if manifest else key),))


def _statements(grants: list[Grant]) -> list[dict[str, Any]]:
    """One statement for all grants of the same actions."""
    resources: defaultdict[tuple[tuple[str, ...], str | None], set[str]] = defaultdict(set)
    for grant in grants:
        resources[grant.actions, grant.passed_to].update(grant.resources)
    statements = []
    for (actions, passed_to), found in sorted(resources.items(), key=lambda item: str(item[0])):
        statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": sorted(found)}
        if passed_to:
            statement["Condition"] = {"StringEquals": {"iam:PassedToService": passed_to}}
        statements.append(statement)
    return statements
