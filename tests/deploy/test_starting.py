"""What starts executions: roles that may start one machine, and the function of the Lambda template, run here."""

import json
from typing import Any

import pytest

from tests.account import ROLE, Account, unique
from tests.deploy.files import TEXTS, documents
from workers.local import LocalStepFunctions

STACKS = {path: documents(path)[0]["Resources"] for path in TEXTS if path.startswith("starting/")}


@pytest.mark.parametrize("path", STACKS)
def test_a_role_may_start_one_machine_and_no_other(path: str):
    statements = [
        statement
        for role in STACKS[path].values()
        if role["Type"] == "AWS::IAM::Role"
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    starts = [one for one in statements if one["Action"] == "states:StartExecution"]
    assert [one["Resource"] for one in starts] == ["StateMachine"]
    assert all("*" not in one["Resource"] for one in statements)


def handler(monkeypatch: pytest.MonkeyPatch, machine: str) -> Any:
    """The function in the template."""
    monkeypatch.setenv("STATE_MACHINE", machine)
    names: dict[str, Any] = {}
    exec(STACKS["starting/lambda.yaml"]["Start"]["Properties"]["Code"]["ZipFile"], names)
    return names["handler"]


async def test_the_function_starts_one_execution_however_often_its_event_comes(
    account: Account, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch
):
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    made = await account.client.create_state_machine(name=unique("order"), definition=definition, roleArn=ROLE)
    start = handler(monkeypatch, made["stateMachineArn"])
    order = {"order": 17, "items": ["lamp"]}
    first = start(order, None)
    assert (first["name"], first["started"]) == ("order-17", True)
    ended = await account.ended(first["execution"])
    assert json.loads(ended["input"]) == order
    assert start({**order, "items": ["two lamps"]}, None) == {"name": "order-17", "started": False}
    with pytest.raises(ValueError, match="an order has items"):
        start({"order": 18}, None)
