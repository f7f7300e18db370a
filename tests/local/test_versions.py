"""Versions and aliases of state machines."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, create_machine, refused


def _returning(value: Any) -> dict[str, Any]:
    return {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "Result": value, "End": True}}}


@pytest.fixture
async def machine(client: Any) -> str:
    """A machine with versions 1 and 2, which return their number, and a newer revision, which returns 3."""
    arn = await create_machine(client, _returning(1), publish=True, versionDescription="the first")
    await client.update_state_machine(stateMachineArn=arn, definition=json.dumps(_returning(2)), publish=True)
    await client.update_state_machine(stateMachineArn=arn, definition=json.dumps(_returning(3)))
    return arn


async def _alias(client: Any, name: str, **weights: int) -> str:
    arn = weights.pop("machine")
    routes = [{"stateMachineVersionArn": f"{arn}:{number[1:]}", "weight": weight} for number, weight in weights.items()]
    made = await client.create_state_machine_alias(name=name, routingConfiguration=routes)
    return str(made["stateMachineAliasArn"])


async def test_versions_run_what_was_published(client: Any, account: Account, machine: str):
    for arn, value in ((f"{machine}:1", 1), (f"{machine}:2", 2), (machine, 3)):
        started = await client.start_execution(stateMachineArn=arn)
        ended = await account.ended(started["executionArn"])
        assert ended["output"] == str(value)
        assert ended["stateMachineArn"] == machine
        assert ended.get("stateMachineVersionArn") == (arn if arn != machine else None)
    listed = await client.list_executions(stateMachineArn=f"{machine}:1")
    assert [execution["stateMachineVersionArn"] for execution in listed["executions"]] == [f"{machine}:1"]
    assert len((await client.list_executions(stateMachineArn=machine))["executions"]) == 3


async def test_versions_are_described_and_listed(client: Any, machine: str):
    described = await client.describe_state_machine(stateMachineArn=f"{machine}:1")
    assert described["stateMachineArn"] == f"{machine}:1"
    assert described["description"] == "the first"
    assert json.loads(described["definition"]) == _returning(1)
    listed = await client.list_state_machine_versions(stateMachineArn=machine, maxResults=1)
    assert [version["stateMachineVersionArn"] for version in listed["stateMachineVersions"]] == [f"{machine}:2"]
    rest = await client.list_state_machine_versions(stateMachineArn=machine, nextToken=listed["nextToken"])
    assert [version["stateMachineVersionArn"] for version in rest["stateMachineVersions"]] == [f"{machine}:1"]


async def test_publishing_is_idempotent(client: Any, machine: str):
    revision = (await client.describe_state_machine(stateMachineArn=machine))["revisionId"]
    first = await client.publish_state_machine_version(stateMachineArn=machine, revisionId=revision)
    again = await client.publish_state_machine_version(stateMachineArn=machine)
    assert first["stateMachineVersionArn"] == again["stateMachineVersionArn"] == f"{machine}:3"
    async with refused("ConflictException") as error:
        await client.publish_state_machine_version(stateMachineArn=machine, revisionId="another")
    assert f"The current State Machine revision is {revision}." in str(error.value)
    await client.delete_state_machine_version(stateMachineVersionArn=f"{machine}:3")
    await client.delete_state_machine_version(stateMachineVersionArn=f"{machine}:3")
    after = await client.publish_state_machine_version(stateMachineArn=machine)
    assert after["stateMachineVersionArn"] == f"{machine}:4"  # numbers are never given twice


async def test_a_description_needs_a_version(client: Any, machine: str):
    async with refused("ValidationException") as error:
        await create_machine(client, PASS, versionDescription="of nothing")
    assert str(error.value).endswith("Version description can only be set when publish is true")
    async with refused("StateMachineDoesNotExist"):
        await client.publish_state_machine_version(stateMachineArn=f"{machine}:1")
    async with refused("ValidationException"):
        await client.update_state_machine(stateMachineArn=f"{machine}:1", definition=json.dumps(PASS))


async def test_an_alias_routes_by_weight(client: Any, account: Account, machine: str):
    alias = await _alias(client, "live", machine=machine, v1=50, v2=50)
    outputs = Counter()
    for _ in range(40):
        started = await client.start_execution(stateMachineArn=alias)
        ended = await account.ended(started["executionArn"])
        assert ended["stateMachineAliasArn"] == alias
        assert ended["stateMachineVersionArn"] == f"{machine}:{ended['output']}"
        outputs[ended["output"]] += 1
    assert set(outputs) == {"1", "2"}
    assert len((await client.list_executions(stateMachineArn=alias))["executions"]) == 40


async def test_aliases_change(client: Any, account: Account, machine: str):
    alias = await _alias(client, "live", machine=machine, v1=100)
    assert await _alias(client, "live", machine=machine, v1=100) == alias
    async with refused("ConflictException"):
        await _alias(client, "live", machine=machine, v2=100)
    await client.update_state_machine_alias(
        stateMachineAliasArn=alias,
        description="now the second",
        routingConfiguration=[{"stateMachineVersionArn": f"{machine}:2", "weight": 100}],
    )
    described = await client.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert (described["name"], described["description"]) == ("live", "now the second")
    started = await client.start_execution(stateMachineArn=alias)
    assert (await account.ended(started["executionArn"]))["output"] == "2"
    async with refused("ConflictException") as error:
        await client.delete_state_machine_version(stateMachineVersionArn=f"{machine}:2")
    assert str(error.value).endswith("aliases referencing this version: [live]")
    listed = await client.list_state_machine_aliases(stateMachineArn=machine)
    assert [found["stateMachineAliasArn"] for found in listed["stateMachineAliases"]] == [alias]
    assert (await client.list_state_machine_aliases(stateMachineArn=f"{machine}:1"))["stateMachineAliases"] == []
    await client.delete_state_machine_alias(stateMachineAliasArn=alias)
    await client.delete_state_machine_alias(stateMachineAliasArn=alias)
    async with refused("ResourceNotFound"):
        await client.describe_state_machine_alias(stateMachineAliasArn=alias)
    async with refused("ResourceNotFound"):
        await client.update_state_machine_alias(stateMachineAliasArn=alias, description="of nothing")
    async with refused("StateMachineDoesNotExist"):
        await client.start_execution(stateMachineArn=alias)


@pytest.mark.parametrize(
    ("routes", "why"),
    [
        ([("1", 70), ("2", 29)], "Sum of routing configuration weights must equal 100. Received: [70, 29]"),
        ([("1", 50), ("1", 50)], "Routing configuration must contain distinct state machine version ARNs."),
        ([("", 100)], "Routing configuration must contain state machine version ARNs."),
        ([("1", 50), ("2", 30), ("3", 20)], "Member must have length less than or equal to 2"),
        ([("1", 101)], "at 'routingConfiguration.1.member.weight' failed to satisfy constraint"),
    ],
)
async def test_routes_that_are_refused(client: Any, machine: str, routes: list[tuple[str, int]], why: str):
    configuration = [
        {"stateMachineVersionArn": f"{machine}:{number}".rstrip(":"), "weight": weight} for number, weight in routes
    ]
    async with refused("ValidationException") as error:
        await client.create_state_machine_alias(name="live", routingConfiguration=configuration)
    assert why in str(error.value)


@pytest.mark.parametrize("name", ["123", "a b", "a@", "a" * 81])
async def test_alias_names_that_are_refused(client: Any, machine: str, name: str):
    async with refused("ValidationException"):
        await _alias(client, name, machine=machine, v1=100)
