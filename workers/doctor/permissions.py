"""What the worker's role is allowed, as far as IAM's simulation can tell."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.arns import is_arn
from workers.doctor.findings import Finding, Level
from workers.stepfunctions.account import Account
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.protocol import ServiceError
from workers.supervisor.activity import Activity

_NOT_JUDGED = (
    "states:SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat were not judged: their resource is the task's "
    "activity or state machine, which a simulation does not know"
)

_NO_SUCH_ROLE = frozenset({"NoSuchEntity", "InvalidInput", "ValidationError"})
"""What SimulatePrincipalPolicy answers where there is no such role, or where the ARN is none (IAM API reference)."""


async def check_permissions(
    account: Account, handled: Mapping[str, Activity], stores: Iterable[str], *, role: str | None
) -> list[Finding]:
    """Simulates the calls of a worker. `role`: the ARN of its role or user; without one, whoever asks.

    The embedded engine allows everything, and is not asked.
    """
    if account.settings.local:
        message = "not examined: the embedded engine allows everything; --worker-role is judged on AWS, without --local"
        return [Finding("permissions-not-examined", f"role {_short(role)}", message, Level.NOTE)] if role else []
    try:
        arn = role or await _own_arn(account)
        where = f"role {_short(arn)}"
        if arn.endswith(":root"):
            return [Finding("permissions", where, "the root user is allowed everything: use a role", Level.NOTE)]
        wanted = _wanted(account, handled, stores)
        denied = [finding for call in wanted for finding in await _simulate(account, arn, where, *call)]
    except ServiceError as error:
        if role and error.code in _NO_SUCH_ROLE:
            return [Finding("no-such-role", f"role {_short(role)}", f"{error}: is {role} its ARN?", Level.ERROR)]
        message = f"permissions were not examined, for IAM did not answer: {error}"
        return [Finding("permissions-not-examined", "permissions", message, Level.NOTE)]
    return [*denied, Finding("not-judged", where, _NOT_JUDGED, Level.NOTE)]


Call = tuple[list[str], list[str]]
"""Actions, and the resources on which all of them are needed."""


def _wanted(account: Account, handled: Mapping[str, Activity], stores: Iterable[str]) -> list[Call]:
    actions = ["states:GetActivityTask"] + ["states:CreateActivity"] * account.settings.create
    found: list[Call] = [(actions, sorted(handled))]
    for url in stores:
        scheme, _, path = url.partition("://")
        if scheme == "s3":
            objects = f"arn:{account.place.partition}:s3:::{path}/*"
            found.append((["s3:GetObject", "s3:PutObject"], [objects]))
    return found


async def _own_arn(account: Account) -> str:
    """The role or user that asks; of a session, its role, which is what policies belong to."""
    async with account.client("sts") as sts:
        with Translation("GetCallerIdentity"):
            arn = str((await sts.get_caller_identity())["Arn"])
    if ":assumed-role/" not in arn:
        return arn
    name = arn.split("/")[1]
    async with account.client("iam") as iam:
        with Translation("GetRole"):  # its path is not part of the session's ARN
            return str((await iam.get_role(RoleName=name))["Role"]["Arn"])


async def _simulate(
    account: Account, arn: str, where: str, actions: list[str], resources: list[str]
) -> Iterable[Finding]:
    async with account.client("iam") as iam:
        with Translation("SimulatePrincipalPolicy"):
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=arn, ActionNames=actions, ResourceArns=resources
            )
            results = [result async for page in pages for result in page["EvaluationResults"]]
    return [finding for result in results for finding in _denied(where, result)]


def _denied(where: str, result: Mapping[str, Any]) -> Iterable[Finding]:
    specific = result.get("ResourceSpecificResults") or [
        {"EvalResourceName": result["EvalResourceName"], "EvalResourceDecision": result["EvalDecision"]}
    ]
    for one in specific:
        if one["EvalResourceDecision"] != "allowed":
            resource = one["EvalResourceName"]
            name = resource.rpartition(":")[2] if is_arn(resource) else resource
            how = "is denied" if one["EvalResourceDecision"] == "explicitDeny" else "is not allowed"
            message = f"{result['EvalActionName']} on {name} {how}: allow it on {resource}"
            yield Finding("not-allowed", where, message, Level.ERROR)


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
