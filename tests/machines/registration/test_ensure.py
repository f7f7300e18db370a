"""Registering state machines on the engine: what is created, what is updated, and what is left alone."""

import json
from pathlib import Path

import pytest

from tests.account import PREFIX, ROLE, unique
from tests.proxy import Proxy, opened, refused
from workers.errors import UsageError
from workers.machines import InvalidDefinitionError
from workers.machines.registration.configuration import Logging
from workers.machines.registration.difference import diff
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.machines import delete_state_machine
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account
from workers.stepfunctions.protocol import DeniedError, RefusedError, ServiceError


def adder(activity: str, **fields) -> dict:
    state = {"type": "task", "resource": activity, "timeout_seconds": 60, "heartbeat_seconds": 20, "end": True}
    return {"start_at": "Add", "timeout_seconds": 600, "states": {"Add": state | fields}}


def said(result) -> list[str]:
    return [str(change) for change in result.changes]


async def test_a_machine_is_created_with_its_activities_and_then_left_alone(here: Account) -> None:
    name, activity = unique("adder"), unique("add")
    first = await ensure_state_machine(name, adder(activity), role=ROLE, tags={"team": "a"}, account=here)
    again = await ensure_state_machine(name, adder(activity), role=ROLE, tags={"team": "a"}, account=here)

    assert said(first) == [f"activity {activity}: created", f"state machine {name}: created"]
    assert first.arn == again.arn == f"{PREFIX}:stateMachine:{name}"
    assert again.changes == ()
    assert (first.version, first.alias) == (None, None)
    described = await here.call("DescribeStateMachine", stateMachineArn=first.arn)
    assert described["roleArn"] == ROLE
    state = json.loads(described["definition"])["States"]["Add"]
    assert state["Resource"] == f"{PREFIX}:activity:{activity}"
    assert state["Retry"][0]["ErrorEquals"] == ["Worker.ShuttingDown"]
    tags = await here.call("ListTagsForResource", resourceArn=first.arn)
    assert tags["tags"] == [{"key": "team", "value": "a"}]


async def test_only_what_differs_is_updated(here: Account) -> None:
    name, activity = unique("adder"), unique("add")
    await ensure_state_machine(name, adder(activity), role=ROLE, tags={"team": "a", "kept": "1"}, account=here)

    definition = await ensure_state_machine(name, adder(activity, comment="new"), account=here)
    other_role = ROLE + "-2"
    rest = await ensure_state_machine(
        name,
        adder(activity, comment="new"),
        role=other_role,
        logging=Logging(level="ALL", log_group="/aws/states/adder", data=True),
        tracing=True,
        tags={"team": "b"},
        account=here,
    )
    again = await ensure_state_machine(
        name, adder(activity, comment="new"), logging=Logging(level="ALL", log_group="/aws/states/adder", data=True),
        account=here,
    )  # fmt: skip

    assert said(definition) == ["definition: updated"]
    assert said(rest) == ["role: updated", "logging: updated", "tracing: updated", "tag team: set"]
    assert again.changes == ()
    described = await here.call("DescribeStateMachine", stateMachineArn=rest.arn)
    assert described["roleArn"] == other_role
    assert described["tracingConfiguration"] == {"enabled": True}
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/states/adder:*"
    assert described["loggingConfiguration"] == {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
    }
    tags = await here.call("ListTagsForResource", resourceArn=rest.arn)
    assert {tag["key"]: tag["value"] for tag in tags["tags"]} == {"team": "b", "kept": "1"}


async def test_a_version_is_published_once_for_a_revision_and_an_alias_moves(here: Account) -> None:
    name, activity = unique("adder"), unique("add")
    first = await ensure_state_machine(name, adder(activity), role=ROLE, publish=True, account=here)
    again = await ensure_state_machine(name, adder(activity), publish=True, account=here)
    prod = await ensure_state_machine(name, adder(activity), alias="prod", account=here)
    same = await ensure_state_machine(name, adder(activity), alias="prod", account=here)
    moved = await ensure_state_machine(name, adder(activity, comment="2"), alias="prod", account=here)

    assert said(first)[-1] == "version 1: published"
    assert again.changes == ()
    assert again.version == first.version == f"{first.arn}:1"
    assert said(prod) == ["alias prod: created, to version 1"]
    assert same.changes == ()
    assert same.alias == f"{first.arn}:prod"
    assert said(moved) == ["definition: updated", "version 2: published", "alias prod: moved to version 2"]
    assert moved.version == f"{first.arn}:2"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alias": "a b"}, "the alias name 'a b' would be refused by AWS"),
        ({"alias": "12"}, "the alias name '12' would be refused by AWS"),
        ({"role": "admin"}, "'admin' is not the ARN of a role: write arn:aws:iam::ACCOUNT:role/NAME"),
    ],
)
async def test_what_aws_would_refuse_later_is_refused_before_anything_is_done(
    here: Account, options: dict[str, str], message: str
) -> None:
    name = unique("adder")
    with pytest.raises(UsageError, match=message):
        await ensure_state_machine(name, adder(unique("add")), **({"role": ROLE} | options), account=here)
    with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
        await here.call("DescribeStateMachine", stateMachineArn=here.state_machine(name))


async def test_names_stand_in_the_namespace(account, tmp_path: Path) -> None:
    name, activity = unique("adder"), unique("add")
    file = tmp_path / "adder.json"
    file.write_text(json.dumps(adder(activity)))
    async with opened(namespace="team") as here:
        result = await ensure_state_machine(name, file, role=ROLE, account=here)
    assert result.name == f"team--{name}"
    assert said(result)[0] == f"activity team--{activity}: created"
    assert result.to_json()["changes"][1] == {"what": f"state machine team--{name}", "action": "created"}


async def test_activities_of_others_are_not_created(here: Account) -> None:
    elsewhere = "arn:aws:states:eu-west-1:999999999999:activity:theirs"
    result = await ensure_state_machine(unique("adder"), adder(elsewhere), role=ROLE, account=here)
    assert len(result.changes) == 1


async def test_express_is_for_ever(here: Account) -> None:
    name = unique("fast")
    machine = {"start_at": "Done", "states": {"Done": {"type": "succeed"}}}
    created = await ensure_state_machine(name, machine, role=ROLE, express=True, account=here)
    assert created.express
    assert (await ensure_state_machine(name, machine, account=here)).changes == ()
    with pytest.raises(UsageError, match="is a EXPRESS state machine, and AWS cannot change that"):
        await ensure_state_machine(name, machine, express=False, account=here)


async def test_what_cannot_be_is_said_before_anything_is_done(here: Account) -> None:
    name, activity = unique("adder"), unique("add")
    with pytest.raises(UsageError, match=f"there is no state machine {name} yet, and a new one needs a role"):
        await ensure_state_machine(name, adder(activity), account=here)
    with pytest.raises(UsageError, match="say one of the two"):
        await ensure_state_machine(name, adder(activity), role=ROLE, create_role=True, account=here)
    with pytest.raises(InvalidDefinitionError, match="missing-target"):
        await ensure_state_machine(name, adder(activity) | {"start_at": "Nowhere"}, role=ROLE, account=here)
    with pytest.raises(UsageError, match="AWS refuses"):
        await ensure_state_machine("my adder", adder(activity), role=ROLE, account=here)
    assert activity not in [item["name"] async for item in here.items("ListActivities", "activities")]


async def test_the_local_engine_needs_no_role(engine) -> None:
    name = unique("adder")
    async with open_account(Settings(local=True, local_port=engine.port)) as here:
        result = await ensure_state_machine(name, adder(unique("add")), account=here)
    assert said(result)[-1] == f"state machine {name}: created"


async def test_a_namesake_that_another_one_registers_at_the_same_time_is_updated(proxy: Proxy, hasty) -> None:
    name, activity = unique("adder"), unique("add")
    async with opened() as here:
        await ensure_state_machine(name, adder(activity, comment="theirs"), role=ROLE, account=here)
        proxy.answers["DescribeStateMachine"] = [lambda _: refused("StateMachineDoesNotExist")] * 2
        result = await ensure_state_machine(name, adder(activity), role=ROLE, account=here)
    assert said(result) == ["definition: updated"]


async def test_a_fresh_machine_is_waited_for(proxy: Proxy, hasty) -> None:
    name = unique("adder")
    proxy.answers["ListStateMachineVersions"] = [lambda _: refused("StateMachineDoesNotExist")]
    proxy.answers["PublishStateMachineVersion"] = [lambda _: refused("StateMachineDoesNotExist")] * 2
    async with opened() as here:
        result = await ensure_state_machine(name, adder(unique("add")), role=ROLE, publish=True, account=here)
    assert result.version == f"{result.arn}:1"
    assert len(proxy.called("PublishStateMachineVersion")) == 3


async def test_a_name_that_is_being_deleted_is_waited_for(proxy: Proxy, hasty) -> None:
    proxy.answers["CreateStateMachine"] = [lambda _: refused("StateMachineDeleting")] * 2
    async with opened() as here:
        await ensure_state_machine(unique("adder"), adder(unique("add")), role=ROLE, account=here)
    assert len(proxy.called("CreateStateMachine")) == 3


async def test_who_may_not_list_activities_creates_them_all(proxy: Proxy) -> None:
    proxy.answers["ListActivities"] = [lambda _: refused("AccessDeniedException")]
    async with opened() as here:
        result = await ensure_state_machine(unique("adder"), adder(unique("add")), role=ROLE, account=here)
    assert len(result.changes) == 2


async def test_other_refusals_are_not_waited_for(proxy: Proxy) -> None:
    proxy.answers["CreateStateMachine"] = [lambda _: refused("AccessDeniedException", "not your role")]
    proxy.answers["DescribeStateMachine"] = [
        lambda _: refused("StateMachineDoesNotExist"),
        lambda _: refused("InvalidArn"),
    ]
    async with opened() as here:
        with pytest.raises(DeniedError, match="not your role"):
            await ensure_state_machine(unique("adder"), adder(unique("add")), role=ROLE, account=here)
        with pytest.raises(RefusedError, match="InvalidArn"):
            await ensure_state_machine(unique("adder"), adder(unique("add")), role=ROLE, account=here)


async def test_a_difference_is_told_and_nothing_done(here: Account, tmp_path: Path) -> None:
    name, activity = unique("adder"), unique("add")
    fresh = await diff(name, adder(activity), account=here)
    assert said(fresh) == [f"activity {activity}: missing", f"state machine {name}: missing"]
    assert not fresh.exists
    with pytest.raises(ServiceError, match="StateMachineDoesNotExist"):
        await here.call("DescribeStateMachine", stateMachineArn=fresh.arn)

    await ensure_state_machine(name, adder(activity), role=ROLE, account=here)
    assert not await diff(name, adder(activity), role=ROLE, account=here)

    changed = await diff(
        name, adder(activity, timeout_seconds=90), tags={"team": "a"}, tracing=True, role=ROLE + "x", account=here
    )
    assert changed
    assert said(changed) == ["definition: differs", "role: differs", "tracing: differs", "tag team: differs"]
    assert "-    timeout_seconds: 60" in changed.lines
    assert "+    timeout_seconds: 90" in changed.lines
    assert f"    resource: {activity}" in " ".join(changed.lines)
    assert changed.to_json()["exists"] is True


async def test_a_machine_is_deleted_once(here: Account) -> None:
    name, activity = unique("adder"), unique("add")
    await ensure_state_machine(name, adder(activity), role=ROLE, account=here)
    assert [str(change) for change in await delete_state_machine(name, account=here)] == [
        f"state machine {name}: deleted"
    ]
    assert await delete_state_machine(name, account=here) == ()
    await here.call("DescribeActivity", activityArn=f"{PREFIX}:activity:{activity}")
