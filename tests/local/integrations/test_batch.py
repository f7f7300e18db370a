"""Jobs of AWS Batch: moto's, which run nothing and end at once, with success unless it is told otherwise."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import connect
from tests.local.integrations.test_in_machines import details, task
from workers.local import LocalStepFunctions

SUBMIT = "arn:aws:states:::batch:submitJob"


@pytest.fixture
async def job(engine: LocalStepFunctions) -> AsyncIterator[dict[str, Any]]:
    """The parameters of a job, whose queue and definition exist."""
    name = unique("job")
    async with connect(engine, "batch") as batch, connect(engine, "iam") as iam:
        role = (await iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}"))["Role"]["Arn"]
        made = await batch.create_compute_environment(
            computeEnvironmentName=name, type="UNMANAGED", state="ENABLED", serviceRole=role
        )
        order = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
        queue = await batch.create_job_queue(
            jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order
        )
        container = {"image": "busybox", "vcpus": 1, "memory": 128, "command": ["true"]}
        definition = await batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container
        )
        yield {"JobName": name, "JobQueue": queue["jobQueueArn"], "JobDefinition": definition["jobDefinitionArn"]}


async def test_a_job_is_waited_for(account: Account, job: dict[str, Any]):
    execution = await account.start(task(f"{SUBMIT}.sync", job))
    ended = await account.ended(execution)
    assert ended["status"] == "SUCCEEDED", ended
    found = json.loads(ended["output"])
    assert (found["Status"], found["JobName"], found["JobQueue"]) == ("SUCCEEDED", job["JobName"], job["JobQueue"])
    events = await account.events(execution)
    kinds = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert [event["type"] for event in events][2:-2] == kinds
    for kind in kinds:
        told = details(events, kind)
        assert (told["resourceType"], told["resource"]) == ("batch", "submitJob.sync")
    assert json.loads(details(events, "TaskSubmitted")["output"])["JobId"] == found["JobId"]


async def test_a_job_that_fails_fails_its_task(account: Account, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOTO_SIMPLE_BATCH_FAIL_AFTER", "0")
    execution = await account.start(task(f"{SUBMIT}.sync", job))
    ended = await account.ended(execution)
    assert ended["error"] == "States.TaskFailed"
    cause = json.loads(ended["cause"])
    assert (cause["Status"], cause["JobName"]) == ("FAILED", job["JobName"])
    assert [event["type"] for event in await account.events(execution)][-3:] == [
        "TaskSubmitted",
        "TaskFailed",
        "ExecutionFailed",
    ]


async def test_a_job_is_started_and_not_waited_for(account: Account, job: dict[str, Any]):
    found = await account.output(task(SUBMIT, job))
    assert found["JobName"] == job["JobName"]
    assert found["JobId"] in found["JobArn"]
    described = await account.output(task("arn:aws:states:::aws-sdk:batch:describeJobs", {"Jobs": [found["JobId"]]}))
    assert described["Jobs"][0]["Status"] == "SUCCEEDED"


async def test_a_queue_that_is_not_there(account: Account, job: dict[str, Any]):
    ended = await account.run(task(f"{SUBMIT}.sync", job | {"JobQueue": "none"}))
    assert ended["error"] == "Batch.ClientException"
    kinds = [event["type"] for event in await account.events(ended["executionArn"])]
    assert kinds[-2:] == ["TaskSubmitFailed", "ExecutionFailed"]
