"""The role of a state machine, made on request: it trusts Step Functions, and allows what the definition uses."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from workers.arns import Place
from workers.machines.registration.results import Change
from workers.stepfunctions.account import Account
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.protocol import ServiceError

PATH = "/sfn-workers/"
"""The IAM path of all roles that are made here: by it they are known again, and deleted with their machines."""
_POLICY = "state-machine"
_NAME_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Role:
    """A role that was made here."""

    arn: str
    changes: tuple[Change, ...]
    """What was done to it now. IAM takes some seconds until it is so everywhere."""


def role_name(machine: str, place: Place) -> str:
    """The name of the role of `machine`: IAM's names hold for all regions, and have at most 64 characters."""
    name = f"{place.region}-{machine}"
    if len(name) <= _NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _NAME_LIMIT - 9]}-{digest}"


async def ensure_role(account: Account, machine: str, policy: dict[str, Any] | None) -> Role:
    """The role of the state machine `machine`, made or changed so that it allows `policy` and no more.

    Raises `ServiceError`.
    """
    name = role_name(machine, account.place)
    async with account.client("iam") as iam:
        arn, created = await _ensure(iam, name, machine, account.place)
        updated = await _allow(iam, name, policy)
    if created:
        return Role(arn, (Change(f"role {name}", "created"),))
    return Role(arn, (Change(f"role {name}", "updated"),) if updated else ())


async def delete_role(account: Account, arn: str) -> Change | None:
    """Deletes the role if it was made here; None where it was not, or is gone."""
    if f":role{PATH}" not in arn:
        return None
    name = arn.rpartition("/")[2]
    async with account.client("iam") as iam:
        with _unless_missing("DeleteRolePolicy"):
            await iam.delete_role_policy(RoleName=name, PolicyName=_POLICY)
        with _unless_missing("DeleteRole"):
            await iam.delete_role(RoleName=name)
            return Change(f"role {name}", "deleted")
    return None


async def _ensure(iam: Any, name: str, machine: str, place: Place) -> tuple[str, bool]:
    with _unless_missing("GetRole"):
        return str((await iam.get_role(RoleName=name))["Role"]["Arn"]), False
    description = f"Role of the state machine {machine}"
    with Translation("CreateRole"):
        answer = await iam.create_role(
            Path=PATH,
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(_trust(place)),
            Description=description.encode("ascii", "replace").decode(),
        )
    return str(answer["Role"]["Arn"]), True


async def _allow(iam: Any, name: str, policy: dict[str, Any] | None) -> bool:
    """Makes `policy` all that the role allows. Whether something had to be changed."""
    current = None
    with _unless_missing("GetRolePolicy"):
        current = (await iam.get_role_policy(RoleName=name, PolicyName=_POLICY))["PolicyDocument"]
    if current == policy:
        return False
    if policy is None:
        with Translation("DeleteRolePolicy"):
            await iam.delete_role_policy(RoleName=name, PolicyName=_POLICY)
    else:
        with Translation("PutRolePolicy"):
            await iam.put_role_policy(RoleName=name, PolicyName=_POLICY, PolicyDocument=json.dumps(policy))
    return True


def _trust(place: Place) -> dict[str, Any]:
    """Step Functions may take the role, for this account's machines only ("confused deputy", developer guide)."""
    condition = {
        "StringEquals": {"aws:SourceAccount": place.account},
        "ArnLike": {"aws:SourceArn": f"arn:{place.partition}:states:{place.region}:{place.account}:stateMachine:*"},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@contextmanager
def _unless_missing(operation: str) -> Iterator[None]:
    """Leaves the block where what it is about does not exist."""
    try:
        with Translation(operation):
            yield
    except ServiceError as error:
        if error.code != "NoSuchEntity":
            raise
