"""`--data`: what the engine knows outlives it, also kill -9."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.account import ROLE, Account
from tests.local.helpers import PASS, SESSION, Activity, connect, create_machine, history, refused
from workers.errors import UsageError
from workers.local import LocalStepFunctions

COMMAND = [sys.executable, "-c", "from workers.cli.main import main; main()", "local", "--port", "0"]
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}


@asynccontextmanager
async def killed_at_the_end(data: Path) -> AsyncIterator[Any]:
    """A client of an engine in a process of its own, which is killed when the context is left."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--poll-hold", "1", "--data", str(data), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        url = (await process.stdout.readline()).decode().split()[-1]
        async with SESSION.create_client("stepfunctions", endpoint_url=url, **KEYS) as client:
            yield client
    finally:
        process.kill()
        await process.wait()


async def test_executions_go_on_where_they_stood(tmp_path: Path):
    branches = [{"StartAt": name, "States": {name: {"Type": "Task", "Resource": "", "End": True}}} for name in "AB"]
    async with killed_at_the_end(tmp_path) as client:
        activity, account = Activity(client, "same"), Account(client)
        await client.create_activity(name=activity.name, tags=[{"key": "k", "value": "v"}])
        for branch in branches:
            next(iter(branch["States"].values()))["Resource"] = activity.arn
        each = {"StartAt": "Item", "States": {"Item": activity.state()}}
        machine = {
            "StartAt": "Fork",
            "States": {
                "Fork": {"Type": "Parallel", "Branches": branches, "Next": "Set"},
                "Set": {"Type": "Pass", "Assign": {"kept.$": "$"}, "Next": "Each"},
                "Each": {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": each, "Next": "Wait"},
                "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Last"},
                "Last": {"Type": "Pass", "Parameters": {"kept.$": "$kept", "items.$": "$"}, "End": True},
            },
        }
        arn = await create_machine(client, machine, "kept")
        execution = (await client.start_execution(stateMachineArn=arn, input='{"x": 1}'))["executionArn"]
        first, _ = await activity.task()
        second, _ = await activity.task()
        await activity.succeed(first, "a")
    async with killed_at_the_end(tmp_path) as client:
        activity.client = client
        async with refused("TaskTimedOut"):
            await activity.succeed(first, "again")
        await activity.succeed(second, "b")
        items = [await activity.task() for _ in range(2)]
    async with killed_at_the_end(tmp_path) as client:
        activity.client, account = client, Account(client)
        for token, value in items:
            await activity.succeed(token, value.upper())
        await account.reached(execution, "WaitStateEntered")
    async with killed_at_the_end(tmp_path) as client:
        account = Account(client)
        ended = await account.ended(execution)
        assert json.loads(ended["output"]) in [
            {"kept": list(pair), "items": [one.upper() for one in pair]} for pair in ("ab", "ba")
        ]
        events = await account.events(execution)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert (await history(account, execution)).count("ActivitySucceeded") == 4
    async with killed_at_the_end(tmp_path) as client:
        assert [event["id"] for event in await Account(client).events(execution)] == list(range(1, len(events) + 1))
        described = await client.describe_execution(executionArn=execution)
        assert described["status"] == "SUCCEEDED"
        assert (await client.list_tags_for_resource(resourceArn=activity.arn))["tags"] == [{"key": "k", "value": "v"}]


async def test_tasks_of_services_go_on(tmp_path: Path):
    """One waits for a token that is out, one for an execution that runs: neither is asked for again."""
    nest = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True}
    ask = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken", "End": True}
    async with killed_at_the_end(tmp_path) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        inner = await create_machine(client, activity.machine())
        told = await create_machine(client, PASS)
        nest["Parameters"] = {"StateMachineArn": inner, "Input": {"n": 1}}
        ask["Parameters"] = {"StateMachineArn": told, "Input": {"token.$": "$$.Task.Token"}}
        branches = [{"StartAt": name, "States": {name: state}} for name, state in (("Nest", nest), ("Ask", ask))]
        fork = {"Type": "Parallel", "Branches": branches, "End": True}
        execution = await account.start({"StartAt": "Fork", "States": {"Fork": fork}}, {})
        token, value = await activity.task()
        assert value == {"n": 1}
        while (await history(account, execution)).count("TaskSubmitted") < 2:
            await asyncio.sleep(0.05)
        (asked,) = (await client.list_executions(stateMachineArn=told))["executions"]
        given = json.loads((await client.describe_execution(executionArn=asked["executionArn"]))["input"])
    async with killed_at_the_end(tmp_path) as client:
        activity.client, account = client, Account(client)
        await client.send_task_success(taskToken=given["token"], output='"answered"')
        await activity.succeed(token, "done")
        nested, answered = json.loads((await account.ended(execution))["output"])
        assert (nested["Status"], nested["Output"], answered) == ("SUCCEEDED", "done", "answered")
        for machine in (inner, told):
            assert len((await client.list_executions(stateMachineArn=machine))["executions"]) == 1
        assert (await history(account, execution)).count("TaskScheduled") == 2


async def test_machines_versions_and_aliases(tmp_path: Path):
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        arn = await create_machine(client, PASS, publish=True)
        version = (await client.list_state_machine_versions(stateMachineArn=arn))["stateMachineVersions"][0]
        routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
        alias = (await client.create_state_machine_alias(name="live", routingConfiguration=routes))[
            "stateMachineAliasArn"
        ]
        changed = {**PASS, "Comment": "changed"}
        await client.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))
        gone = await create_machine(client, PASS)
        await client.delete_state_machine(stateMachineArn=gone)
        before = await client.describe_state_machine(stateMachineArn=arn)
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        after = await client.describe_state_machine(stateMachineArn=arn)
        for described in (before, after):
            del described["ResponseMetadata"]
        assert after == before
        assert (await client.describe_state_machine_alias(stateMachineAliasArn=alias))["routingConfiguration"] == routes
        started = await client.start_execution(stateMachineArn=alias)
        ended = await Account(client).ended(started["executionArn"])
        assert ended["stateMachineVersionArn"] == version["stateMachineVersionArn"]
        again = await client.publish_state_machine_version(stateMachineArn=arn)
        assert again["stateMachineVersionArn"].endswith(":2")
        async with refused("StateMachineDoesNotExist"):
            await client.describe_state_machine(stateMachineArn=gone)


async def test_a_failed_execution_is_redriven_by_a_later_engine(tmp_path: Path):
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        execution = await account.start(activity.machine(), 1)
        token, _ = await activity.task()
        await activity.fail(token)
        await account.ended(execution)
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity.client, account = client, Account(client)
        await client.redrive_execution(executionArn=execution)
        token, value = await activity.task()
        await activity.succeed(token, value)
        assert (await account.ended(execution))["output"] == "1"


def _each(activity: Activity, **fields: Any) -> dict[str, Any]:
    """A machine of one Distributed Map, with a task for each item."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor = {"StartAt": "Work", "States": {"Work": activity.state()}, **config}
    return {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}}}


async def test_map_runs_go_on(tmp_path: Path):
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        execution = await account.start(_each(activity, MaxConcurrency=1), ["a", "b", "c"])
        token, value = await activity.task()
        await activity.succeed(token, value)
        token, value = await activity.task()
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity.client, account = client, Account(client)
        await activity.succeed(token, value)
        token, value = await activity.task()
        assert value == "c"
        await activity.succeed(token, value)
        assert json.loads((await account.ended(execution))["output"]) == ["a", "b", "c"]
        (map_run,) = (await client.list_map_runs(executionArn=execution))["mapRuns"]
        found = await client.describe_map_run(mapRunArn=map_run["mapRunArn"])
        assert found["itemCounts"]["succeeded"] == 3


async def test_a_map_run_that_an_older_engine_has_stored_goes_on(tmp_path: Path):
    """That engine did not know of executions that wait to be redriven."""
    async with killed_at_the_end(tmp_path) as client:
        activity = Activity(client)
        await client.create_activity(name=activity.name)
        execution = await Account(client).start(_each(activity), ["a"])
        token, _ = await activity.task()
    with closing(sqlite3.connect(tmp_path / "stepfunctions.sqlite")) as database, database:
        database.execute("UPDATE map_runs SET document = json_remove(document, '$.awaiting')")
    async with killed_at_the_end(tmp_path) as client:
        activity.client = client
        await activity.succeed(token, "A")
        assert json.loads((await Account(client).ended(execution))["output"]) == ["A"]


async def test_the_limits_of_a_map_run_stay_changed(tmp_path: Path):
    async with killed_at_the_end(tmp_path) as client:
        activity = Activity(client)
        await client.create_activity(name=activity.name)
        execution = await Account(client).start(_each(activity, ToleratedFailureCount=1), ["a", "b"])
        await activity.task()
        (map_run,) = (await client.list_map_runs(executionArn=execution))["mapRuns"]
        await client.update_map_run(mapRunArn=map_run["mapRunArn"], toleratedFailureCount=2)
    async with killed_at_the_end(tmp_path) as client:
        found = await client.describe_map_run(mapRunArn=map_run["mapRunArn"])
        assert (found["status"], found["toleratedFailureCount"]) == ("RUNNING", 2)


async def test_what_is_forgotten_is_not_kept(tmp_path: Path):
    for _ in range(2):
        async with LocalStepFunctions(data=tmp_path, keep=2) as local, connect(local) as client:
            machine = (await client.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=ROLE))[
                "stateMachineArn"
            ]
            for _ in range(5):
                started = await client.start_execution(stateMachineArn=machine)
                await Account(client).ended(started["executionArn"])
            assert len((await client.list_executions(stateMachineArn=machine))["executions"]) == 2
    async with LocalStepFunctions(data=tmp_path, keep=9) as local, connect(local) as client:
        assert len((await client.list_executions(stateMachineArn=machine))["executions"]) == 2


@pytest.mark.parametrize("items", [[], [1]])
async def test_map_runs_are_forgotten_with_their_executions(tmp_path: Path, items: list[int]):
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {"Type": "Map", "ItemProcessor": {**PASS, **config}, "End": True}
    async with LocalStepFunctions(data=tmp_path, keep=1) as local, connect(local) as client:
        account = Account(client)
        execution = await account.start({"StartAt": "Each", "States": {"Each": each}}, items)
        await account.ended(execution)
        (map_run,) = (await client.list_map_runs(executionArn=execution))["mapRuns"]
        await account.run(PASS)
        async with refused("ResourceNotFound"):
            await client.describe_map_run(mapRunArn=map_run["mapRunArn"])
    with closing(sqlite3.connect(tmp_path / "stepfunctions.sqlite")) as database:
        assert database.execute("SELECT arn FROM map_runs").fetchall() == []


async def test_directories_that_cannot_be_had(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot keep what the engine knows"):
        await LocalStepFunctions(data=tmp_path / "file").__aenter__()
    async with LocalStepFunctions(data=tmp_path):
        with pytest.raises(UsageError, match="another engine has it open"):
            await LocalStepFunctions(data=tmp_path).__aenter__()
