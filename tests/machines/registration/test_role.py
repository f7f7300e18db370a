"""The role that is made on request: on moto's IAM, and with the delay of AWS's."""

import json
from typing import Any

import pytest

from tests.account import unique
from tests.proxy import Proxy, opened, refused
from workers.arns import Place
from workers.machines.registration import ensure
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.machines import delete_state_machine
from workers.machines.registration.role import role_name
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import DeniedError


def calls(resource: str, **parameters: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True}
    if parameters:
        state["Parameters"] = parameters
    return {"StartAt": "Call", "TimeoutSeconds": 60, "States": {"Call": state}}


LAMBDA = calls("arn:aws:lambda:us-east-1:123456789012:function:f")
QUEUE = calls("arn:aws:states:::sqs:sendMessage", QueueUrl="https://sqs.us-east-1.amazonaws.com/1/q", MessageBody="x")


async def role(here: Account, arn: str) -> tuple[dict, list[dict]]:
    """What the role trusts, and what it allows."""
    name = arn.rpartition("/")[2]
    async with here.client("iam") as iam:
        found = await iam.get_role(RoleName=name)
        policies = (await iam.list_role_policies(RoleName=name))["PolicyNames"]
        allowed = [
            statement
            for policy in policies
            for statement in (await iam.get_role_policy(RoleName=name, PolicyName=policy))["PolicyDocument"][
                "Statement"
            ]
        ]
    trust = found["Role"]["AssumeRolePolicyDocument"]
    return trust if isinstance(trust, dict) else json.loads(trust), allowed


async def test_a_role_is_made_kept_right_and_deleted_with_its_machine(here: Account) -> None:
    name = unique("caller")
    made = await ensure_state_machine(name, LAMBDA, create_role=True, account=here)
    arn = (await here.call("DescribeStateMachine", stateMachineArn=made.arn))["roleArn"]
    assert [str(change) for change in made.changes] == [
        f"role us-east-1-{name}: created",
        f"state machine {name}: created",
    ]
    trust, allowed = await role(here, arn)
    assert trust["Statement"][0]["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Statement"][0]["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert allowed == [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [function, f"{function}:*"]}
    ]

    assert (await ensure_state_machine(name, LAMBDA, create_role=True, account=here)).changes == ()

    changed = await ensure_state_machine(name, QUEUE, create_role=True, account=here)
    assert [str(change) for change in changed.changes] == [f"role us-east-1-{name}: updated", "definition: updated"]
    assert [statement["Action"] for statement in (await role(here, arn))[1]] == [["sqs:SendMessage"]]

    activity = calls(f"arn:aws:states:us-east-1:123456789012:activity:{unique('a')}")
    await ensure_state_machine(name, activity, create_role=True, account=here)
    assert (await role(here, arn))[1] == []  # activities need no permission

    deleted = await delete_state_machine(name, account=here)
    assert [str(change) for change in deleted] == [f"state machine {name}: deleted", f"role us-east-1-{name}: deleted"]
    async with here.client("iam") as iam:
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            await iam.get_role(RoleName=f"us-east-1-{name}")


async def test_a_fresh_role_is_waited_for(proxy: Proxy, hasty, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume"
    proxy.answers["CreateStateMachine"] = [lambda _: refused("AccessDeniedException", unknown)] * 3
    async with opened() as here:
        await ensure_state_machine(unique("caller"), LAMBDA, create_role=True, account=here)
        assert len(proxy.called("CreateStateMachine")) == 4

        own = "User: arn:aws:iam::1:user/me is not authorized to perform: states:CreateStateMachine on resource: x"
        proxy.answers["CreateStateMachine"] = [lambda _: refused("AccessDeniedException", own)]
        with pytest.raises(DeniedError, match="user/me"):
            await ensure_state_machine(unique("caller"), LAMBDA, create_role=True, account=here)

        monkeypatch.setattr(ensure, "_ROLE_SETTLES", -1)
        proxy.answers["CreateStateMachine"] = [lambda _: refused("AccessDeniedException", unknown)]
        with pytest.raises(DeniedError, match="assume"):
            await ensure_state_machine(unique("caller"), LAMBDA, create_role=True, account=here)


def test_long_names_of_machines_are_shortened_and_stay_apart() -> None:
    place = Place("aws", "eu-central-1", "123456789012")
    assert role_name("adder", place) == "eu-central-1-adder"
    one, other = role_name("a" * 79 + "1", place), role_name("a" * 79 + "2", place)
    assert len(one) == len(other) == 64
    assert one != other
