"""Definitions for AWS Batch on the engine, whose Batch is moto's without Docker: jobs end as these tests say.

Numbers in names are those of the acceptance tests.
"""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import boto3
import pytest

from tests.account import ROLE, unique
from tests.manager.conftest import defined, ended, kept_open, until
from workers.local import LocalStepFunctions
from workers.manager.batch.batch import Batch
from workers.manager.errors import InvalidError
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import JobStatus, Status, WorkflowDefinition
from workers.manager.requests import NewStateResource, NewWorkflowDefinition
from workers.stepfunctions.account import Account


def job(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


CHAIN = {"StartAt": "a", "States": {"a": job("one", Next="b"), "b": job("two", Next="c"), "c": job("three", End=True)}}
SPLIT = {
    "StartAt": "a",
    "States": {
        "a": job("one"),
        "b": job("two", DependsOn=["a"], Next="d"),
        "c": job("three", DependsOn=["a"], Next="d"),
        "d": job("one", End=True),
    },
}


class Compute:
    """AWS Batch, and what its containers do: jobs wait until they are let go, and write their results."""

    def __init__(self, engine: LocalStepFunctions) -> None:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        self._clients = {
            name: boto3.client(name, endpoint_url=engine.url, **keys) for name in ("batch", "iam", "dynamodb")
        }
        self.batch = self._clients["batch"]
        self.queue, self.table, self.namespace = unique("queue"), unique("results"), unique("ns")
        self.jobs: dict[str, Any] = {}
        self.held: set[str] = set()
        self.lock = threading.Lock()

    def make(self) -> None:
        role = self._clients["iam"].create_role(RoleName=unique("role"), AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        environment = self.batch.create_compute_environment(
            computeEnvironmentName=unique("compute"), type="UNMANAGED", state="ENABLED", serviceRole=role
        )
        order = [{"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}]
        self.batch.create_job_queue(jobQueueName=self.queue, state="ENABLED", priority=1, computeEnvironmentOrder=order)
        self._clients["dynamodb"].create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "Key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def define(self, name: str) -> str:
        container = {"image": "busybox", "vcpus": 1, "memory": 16, "command": ["true"]}
        found = self.batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container
        )
        return str(found["jobDefinitionArn"])

    def result(self, job_id: str, *values: str) -> None:
        item = {"Key": {"S": job_id}, "Result": {"S": json.dumps(values)}}
        self._clients["dynamodb"].put_item(TableName=self.table, Item=item)

    def submitted(self, job: Any) -> bool:
        """A job has come; whether it is to be held."""
        with self.lock:
            self.jobs[job.job_name] = job
            return any(job.job_name.endswith(name) for name in self.held)

    async def came(self, name: str) -> Any:
        """The job with that name, once it was submitted."""
        with anyio.fail_after(30):
            while (found := self.jobs.get(f"{self.namespace}--{name}")) is None:
                await anyio.sleep(0.02)
        return found

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


async def defined_jobs(manager: LocalManager, machine: dict[str, Any]) -> WorkflowDefinition:
    """A new definition for AWS Batch."""
    new = NewWorkflowDefinition(name=unique("wf"), state_machine=machine, manager="batch")
    return await manager.create_definition(new)


@pytest.fixture
def compute(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compute]:
    from moto.batch_simple.models import BatchSimpleBackend

    found = Compute(engine)
    at_once = BatchSimpleBackend._mark_job_as_finished

    def finish(backend: Any, include_start_attempt: bool, job: Any) -> None:
        if found.submitted(job):
            backend.backend._jobs[job.job_id] = job
            job.status = "RUNNABLE"
        else:
            at_once(backend, include_start_attempt, job)

    monkeypatch.setattr(BatchSimpleBackend, "_mark_job_as_finished", finish)
    found.make()
    yield found
    found.close()


@pytest.fixture
async def manager(here: Account, compute: Compute) -> AsyncIterator[LocalManager]:
    batch = Batch({"default": compute.queue, "slow": compute.queue}, compute.table)
    async with kept_open(open_manager("sqlite://", here, role=ROLE, batch=batch)) as found:
        for name in ("one", "two", "three"):
            uri = compute.define(unique(name))
            await found.put_state_resource(NewStateResource(name=name, namespace=compute.namespace, uri=uri))
        yield found


async def test_49_jobs_run_one_after_the_other(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, CHAIN)
    started = await manager.start_workflow(kept.name, '["x", "y"]', namespace=compute.namespace)
    done = await ended(manager, started, history=True)
    assert (done.status, done.input) == (Status.SUCCEEDED, '["x","y"]')
    assert done.jobs
    assert [(job.state, job.status) for job in done.jobs] == [(name, JobStatus.SUCCEEDED) for name in "abc"]
    assert [job.name for job in done.jobs] == [f"{compute.namespace}--{name}" for name in ("one", "two", "three")]
    first, second = (environment(compute, f"{compute.namespace}--{name}") for name in ("one", "two"))
    assert first == {"_EXECUTION_NAME": done.id, "_BATCH_START": '["x", "y"]'}
    assert second == {"_EXECUTION_NAME": done.id, "_BATCH_DEPENDENCIES": done.jobs[0].id}


def environment(compute: Compute, name: str) -> dict[str, str]:
    found = compute.batch.describe_jobs(jobs=[compute.jobs[name].job_id])["jobs"][0]["container"]["environment"]
    return {one["name"]: one["value"] for one in found if not one["name"].startswith(("AWS_", "MOTO"))}


async def test_jobs_that_wait_for_the_same_run_beside_each_other(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, SPLIT)
    compute.held = {"two", "three"}
    started = await manager.start_workflow(kept.name, "[]", namespace=compute.namespace)
    for name in ("two", "three"):
        (await compute.came(name))._mark_stopped(success=True)
    done = await ended(manager, started, history=True)
    assert done.status is Status.SUCCEEDED
    assert done.jobs
    assert [job.state for job in done.jobs] == ["a", "b", "c", "d"]
    last = environment(compute, f"{compute.namespace}--one")["_BATCH_DEPENDENCIES"]
    assert set(last.split(",")) == {done.jobs[1].id, done.jobs[2].id}


async def test_48_52_a_workflow_is_queued_until_a_job_runs(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, CHAIN)
    compute.held = {"one", "two"}
    started = await manager.start_workflow(kept.name, '["x"]', namespace=compute.namespace, queue="slow")
    first = await compute.came("one")
    seen = await manager.workflow(started.id, history=True)
    assert seen.status is Status.QUEUED
    assert seen.jobs
    waiting = JobStatus.WAITING_FOR_DEPS
    assert [job.status for job in seen.jobs] in ([JobStatus.QUEUED, waiting, waiting], [waiting] * 3)
    first.status, first.job_started_at = "RUNNING", first.job_created_at
    running = await manager.refresh_workflow(started.id)
    assert running.status is Status.RUNNING
    compute.result(first.job_id, "from one", "again")
    first._mark_stopped(success=True)
    second = await compute.came("two")
    seen = await manager.refresh_workflow(started.id)
    assert seen.status is Status.RUNNING
    assert seen.jobs
    assert [job.input for job in seen.jobs] == ['["x"]', '["from one","again"]', "[]"]
    assert seen.jobs[0].output == '["from one","again"]'
    second.job_started_at = second.job_created_at
    second._mark_stopped(success=False)
    failed = await ended(manager, started, history=True)
    assert failed.status is Status.FAILED
    assert failed.jobs
    assert [job.status for job in failed.jobs] == [
        JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.ABORTED_DEPS_FAILED,
    ]  # fmt: skip
    assert failed.last_job
    assert failed.last_job.state == "b"
    compute.held, compute.jobs = set(), {}
    resumed = await manager.resume_workflow(failed.id, "b")
    assert (resumed.input, resumed.start_at, resumed.queue) == ('["from one","again"]', "b", "slow")
    done = await ended(manager, resumed, history=True)
    assert done.status is Status.SUCCEEDED
    assert done.jobs
    assert [job.state for job in done.jobs] == ["b", "c"]
    assert environment(compute, f"{compute.namespace}--two")["_BATCH_START"] == '["from one", "again"]'
    with pytest.raises(InvalidError, match="Invalid StartAt state nowhere"):
        await manager.resume_workflow(failed.id, "nowhere")


async def test_48_what_is_cancelled_ends_its_jobs_and_stays_so(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, CHAIN)
    compute.held = {"two"}
    started = await manager.start_workflow(kept.name, namespace=compute.namespace)
    second = await compute.came("two")
    await manager.cancel_workflow(started.id, "enough")
    done = await until(manager, started, "cancelled", history=True)
    assert (done.status_reason, done.resolved_by_user) == ("enough", True)
    assert done.jobs
    aborted = JobStatus.ABORTED_BY_USER
    assert [job.status for job in done.jobs] == [JobStatus.SUCCEEDED, aborted, aborted]
    with anyio.fail_after(30):
        while not second.stop:
            await anyio.sleep(0.02)
    assert (await manager.refresh_workflow(started.id)).status is Status.CANCELLED


async def test_48_a_job_that_a_user_ended_cancels_its_workflow(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, CHAIN)
    compute.held = {"one"}
    started = await manager.start_workflow(kept.name, namespace=compute.namespace)
    first = await compute.came("one")
    first.job_stopped_reason = "aborted_by_user: wrong input"
    first._mark_stopped(success=False)
    done = await until(manager, started, "cancelled")
    assert done.resolved_by_user
    assert done.status_reason == "aborted_by_user: wrong input"


async def test_50_51_resources_and_queues_that_are_not_known(manager: LocalManager, compute: Compute):
    kept = await defined_jobs(manager, CHAIN)
    with pytest.raises(InvalidError, match="StateResource `nowhere:one` Not Found"):
        await manager.start_workflow(kept.name, namespace="nowhere")
    with pytest.raises(InvalidError, match="'fast' is no queue of AWS Batch here: there are default, slow"):
        await manager.start_workflow(kept.name, namespace=compute.namespace, queue="fast")
    with pytest.raises(InvalidError, match="array"):
        await manager.start_workflow(kept.name, {"a": 1}, namespace=compute.namespace)
    literal = {"StartAt": "a", "States": {"a": job(compute.define(unique("literal")).rpartition("/")[2], End=True)}}
    kept = await defined_jobs(manager, literal)
    assert (await ended(manager, await manager.start_workflow(kept.name))).status is Status.SUCCEEDED


async def test_a_batch_job_in_an_ordinary_definition(manager: LocalManager, compute: Compute):
    definition = compute.define(unique("ordinary")).rpartition("/")[2]
    machine = {
        "start_at": "a",
        "states": {
            "a": {
                "type": "task",
                "resource": f"batch:{definition}",
                "parameters": {"JobName": "mine", "JobQueue": compute.queue},
                "end": True,
            }
        },
    }
    kept = await defined(manager, machine)
    done = await ended(manager, await manager.start_workflow(kept.name, {"n": 1}), history=True)
    assert done.status is Status.SUCCEEDED
    assert done.jobs
    assert done.jobs[0].state_resource
    assert (done.jobs[0].state_resource.type, done.jobs[0].status) == ("JobDefinitionARN", JobStatus.SUCCEEDED)


async def test_results_that_one_answer_of_dynamodb_cannot_hold(here: Account, compute: Compute):
    large = "x" * 390_000
    ids = [f"job-{number}" for number in range(45)]
    for one in ids:
        await anyio.to_thread.run_sync(compute.result, one, large, one)
    outputs = await Batch(results=compute.table).outputs(here.connection, ids)
    assert outputs == {one: [large, one] for one in ids}
