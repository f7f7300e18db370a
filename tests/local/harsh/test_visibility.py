"""Eventual consistency."""

import json
from random import Random
from typing import Any

import pytest

from tests.account import ROLE
from tests.local.harsh.test_buckets import Clock
from tests.local.helpers import PASS
from workers.arns import Place
from workers.local import clock
from workers.local.errors import ApiError
from workers.local.harsh.visibility import LONGEST, Visibility
from workers.local.operations.table import OPERATIONS
from workers.local.region import Region

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
OTHER = PASS | {"Comment": "another"}


class Seen:
    """A region, asked through its visibility."""

    def __init__(self) -> None:
        self.clock = Clock()
        place = Place("aws", "us-east-1", "123456789012")
        nothing: Any = None
        time = clock.Clock()
        self.region = Region(place, clock=time, new_services=nothing, told=lambda execution: None, poll_hold=0, keep=10)
        self.visibility = Visibility(Random(1), self.clock)

    async def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        self.visibility.check(operation, parameters)
        answer: Any = self.visibility.seeing(operation, OPERATIONS[operation])(self.region, parameters)
        answer = answer if isinstance(answer, dict) else await answer
        return self.visibility.changed(operation, parameters, answer)

    async def refused(self, operation: str, **parameters: Any) -> str:
        with pytest.raises(ApiError) as error:
            await self.ask(operation, **parameters)
        return error.value.code

    async def machine(self) -> None:
        await self.ask("CreateStateMachine", name="m", definition=json.dumps(PASS), roleArn=ROLE)
        self.clock.seconds += LONGEST


@pytest.fixture
async def seen() -> Seen:
    return Seen()


async def test_an_activity_is_not_seen_at_once(seen: Seen):
    await seen.ask("CreateActivity", name="a")
    assert await seen.refused("DescribeActivity", activityArn=ACTIVITY) == "ActivityDoesNotExist"
    assert await seen.refused("GetActivityTask", activityArn=ACTIVITY) == "ActivityDoesNotExist"
    assert (await seen.ask("ListActivities"))["activities"] == []
    await seen.ask("CreateActivity", name="a")
    seen.clock.seconds += LONGEST
    assert (await seen.ask("DescribeActivity", activityArn=ACTIVITY))["name"] == "a"
    assert await seen.ask("GetActivityTask", activityArn=ACTIVITY) == {}
    assert len((await seen.ask("ListActivities"))["activities"]) == 1


async def test_an_activity_created_again_stays_seen_unless_it_was_deleted(seen: Seen):
    await seen.ask("CreateActivity", name="a")
    seen.clock.seconds += LONGEST
    await seen.ask("CreateActivity", name="a")
    await seen.ask("DescribeActivity", activityArn=ACTIVITY)
    await seen.ask("DeleteActivity", activityArn=ACTIVITY)
    await seen.ask("CreateActivity", name="a")
    assert await seen.refused("DescribeActivity", activityArn=ACTIVITY) == "ActivityDoesNotExist"


async def test_a_machine_is_not_seen_at_once(seen: Seen):
    await seen.ask("CreateStateMachine", name="m", definition=json.dumps(PASS), roleArn=ROLE)
    assert await seen.refused("StartExecution", stateMachineArn=MACHINE) == "StateMachineDoesNotExist"
    seen.clock.seconds += LONGEST
    assert (await seen.ask("StartExecution", stateMachineArn=MACHINE))["executionArn"]


async def test_executions_started_at_once_run_the_old_definition(seen: Seen):
    await seen.machine()
    await seen.ask("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps(OTHER))

    async def started() -> Any:
        execution = await seen.ask("StartExecution", stateMachineArn=MACHINE)
        arn = execution["executionArn"]
        described = await seen.ask("DescribeStateMachineForExecution", executionArn=arn)
        shown = await seen.ask("DescribeStateMachine", stateMachineArn=MACHINE)
        assert json.loads(described["definition"]) == json.loads(shown["definition"])
        return json.loads(shown["definition"])

    assert await started() == PASS
    seen.clock.seconds += LONGEST
    assert await started() == OTHER


class Given(Random):
    """The numbers that the test wants."""

    def __init__(self, *numbers: float) -> None:
        super().__init__()
        self._numbers = iter(numbers)

    def uniform(self, a: float, b: float) -> float:
        del a, b
        return next(self._numbers)


async def test_a_machine_created_again_is_not_shown_as_it_was_before_it_was_deleted(seen: Seen):
    seen.visibility = Visibility(Given(0, 5, 4), seen.clock)
    await seen.machine()
    await seen.ask("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps({**PASS, "Comment": "second"}))
    await seen.ask("DeleteStateMachine", stateMachineArn=MACHINE)
    await seen.ask("CreateStateMachine", name="m", definition=json.dumps(OTHER), roleArn=ROLE)
    assert await seen.refused("DescribeStateMachine", stateMachineArn=MACHINE) == "StateMachineDoesNotExist"
    seen.clock.seconds += 4.5
    assert json.loads((await seen.ask("DescribeStateMachine", stateMachineArn=MACHINE))["definition"]) == OTHER


async def test_an_alias_created_again_does_not_lead_where_it_led_before_it_was_deleted(seen: Seen):
    seen.visibility = Visibility(Given(0, 0, 0, 0, 0, 5, 4), seen.clock)
    await seen.machine()
    first = (await seen.ask("PublishStateMachineVersion", stateMachineArn=MACHINE))["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": first, "weight": 100}]
    made = await seen.ask("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    alias = made["stateMachineAliasArn"]
    changed = json.dumps(OTHER)
    updated = await seen.ask("UpdateStateMachine", stateMachineArn=MACHINE, definition=changed, publish=True)
    routes = [{"stateMachineVersionArn": updated["stateMachineVersionArn"], "weight": 100}]
    await seen.ask("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=routes)
    await seen.ask("DeleteStateMachineAlias", stateMachineAliasArn=alias)
    await seen.ask("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    seen.clock.seconds += 4.5
    shown = await seen.ask("DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert shown["routingConfiguration"] == routes


async def test_an_alias_that_was_updated_leads_to_the_old_version_for_a_while(seen: Seen):
    await seen.machine()
    first = (await seen.ask("PublishStateMachineVersion", stateMachineArn=MACHINE))["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": first, "weight": 100}]
    made = await seen.ask("CreateStateMachineAlias", name="live", routingConfiguration=routes)
    alias = made["stateMachineAliasArn"]
    assert await seen.refused("StartExecution", stateMachineArn=alias) == "StateMachineDoesNotExist"
    seen.clock.seconds += LONGEST
    changed = json.dumps(OTHER)
    updated = await seen.ask("UpdateStateMachine", stateMachineArn=MACHINE, definition=changed, publish=True)
    second = updated["stateMachineVersionArn"]
    assert await seen.refused("StartExecution", stateMachineArn=second) == "StateMachineDoesNotExist"
    seen.clock.seconds += LONGEST
    routes = [{"stateMachineVersionArn": second, "weight": 100}]
    await seen.ask("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=routes)

    async def version() -> Any:
        arn = (await seen.ask("StartExecution", stateMachineArn=alias))["executionArn"]
        started = (await seen.ask("DescribeExecution", executionArn=arn))["stateMachineVersionArn"]
        shown = await seen.ask("DescribeStateMachineAlias", stateMachineAliasArn=alias)
        assert shown["routingConfiguration"] == [{"stateMachineVersionArn": started, "weight": 100}]
        return started

    assert await version() == first
    seen.clock.seconds += LONGEST
    assert await version() == second
