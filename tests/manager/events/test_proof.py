"""`workers serve --check-sync`: an event arrives, or what is wrong is said."""

import json
from pathlib import Path

import pytest

from tests.account import ROLE, unique
from tests.deploy.stack import MANAGER, Stack
from tests.processes import workers
from workers.errors import UsageError
from workers.local import LocalStepFunctions
from workers.manager.events.checking import check_events
from workers.manager.events.proof import MACHINE
from workers.manager.events.queue import EventQueue
from workers.manager.opening import Service, open_service
from workers.settings import Settings
from workers.stepfunctions.account import Account


def service(name: str, database: str, *, create: bool = True) -> Service:
    return Service(database=database, role=ROLE, port=0, events=EventQueue(name, create=create))


async def test_an_event_arrives_also_where_another_service_takes_it(here: Account, url: str):
    name = unique("events")
    found = await check_events(service(name, url), Settings())
    assert (found.problems, found.seconds is not None) == ((), True)
    async with open_service(service(name, url), Settings()), open_service(service(name, url), Settings()):
        again = await check_events(service(name, url), Settings())
        assert again.seconds is not None
    items = here.items("ListExecutions", "executions", stateMachineArn=here.state_machine(MACHINE))
    assert len([item async for item in items]) == 2


async def test_what_is_wrong_is_said_where_none_arrives(here: Account, url: str):
    name = unique("events")
    await check_events(service(name, url), Settings())
    async with here.client("events") as events:
        await events.remove_targets(Rule=name, Ids=["workers"])
    found = await check_events(service(name, url, create=False), Settings(), within=1.0)
    assert found.seconds is None
    assert found.problems == ("no rule of EventBridge sends to the queue: --create-events makes one",)
    with pytest.raises(UsageError, match="there is no queue"):
        await check_events(service(unique("none"), url, create=False), Settings())


async def test_one_arrives_by_the_rule_of_the_stack_whose_namespace_is_another(here: Account, url: str):
    name, pattern = unique("events"), Stack("ecs/manager.yaml", **MANAGER).resources["StatusChanges"]["Properties"]
    async with here.client("events") as events:
        await events.put_rule(Name=name, EventPattern=json.dumps(pattern["EventPattern"]), State="ENABLED")
        found = await check_events(service(name, url), Settings())
        assert (found.problems, found.seconds is not None) == ((), True)
        (prefix, _) = pattern["EventPattern"]["detail"]["stateMachineArn"]
        narrow = pattern["EventPattern"] | {"detail": {"stateMachineArn": [prefix]}}
        await events.put_rule(Name=name, EventPattern=json.dumps(narrow), State="ENABLED")
    found = await check_events(service(name, url), Settings(), within=1.0)
    assert found.seconds is None


async def test_the_command(engine: LocalStepFunctions, tmp_path: Path):
    command = ["serve", "--database", f"sqlite:///{tmp_path}/manager.sqlite", "--role", ROLE, "--check-sync"]
    events = ["--events", unique("events"), "--create-events"]
    async with workers(*command, *events, environment=engine.environment()) as process:
        assert await process.ends() == 0, process.log()
    async with workers(*command, environment=engine.environment()) as process:
        assert await process.ends() == 2
        assert "go with --events QUEUE" in process.log()
