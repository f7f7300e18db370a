"""What jobs of AWS Batch make of their workflow, and what is told of them. Numbers: those of the acceptance tests."""

import json
from typing import Any

import pytest

from workers.manager.batch.graph import read_graph
from workers.manager.batch.jobs import jobs_of, last_job
from workers.manager.batch.statuses import job_status, workflow_status
from workers.manager.model import JobStatus, Status, Workflow, WorkflowDefinition

A, Q, R, S, F, D, U = (
    JobStatus.CREATED, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED,
    JobStatus.ABORTED_DEPS_FAILED, JobStatus.ABORTED_BY_USER,
)  # fmt: skip


@pytest.mark.parametrize(
    ("jobs", "present", "status"),
    [
        ([A, Q], Status.QUEUED, Status.QUEUED),
        ([R, Q], Status.QUEUED, Status.RUNNING),
        ([S, F, D], Status.RUNNING, Status.FAILED),
        ([S, A], Status.RUNNING, Status.RUNNING),
        ([S, S], Status.RUNNING, Status.SUCCEEDED),
        ([D, D], Status.RUNNING, Status.FAILED),
        ([S, F, U], Status.RUNNING, Status.CANCELLED),
        ([], Status.SUCCEEDED, Status.SUCCEEDED),
        ([], Status.FAILED, Status.FAILED),
        ([S, S], Status.CANCELLED, Status.CANCELLED),
        ([R], Status.CANCELLED, Status.CANCELLED),
    ],
)
def test_48_the_status_of_a_workflow(jobs: list[JobStatus], present: Status, status: Status):
    assert workflow_status(jobs, present) is status


@pytest.mark.parametrize(
    ("detail", "status"),
    [
        ({"status": "SUBMITTED"}, A),
        ({"status": "PENDING"}, JobStatus.WAITING_FOR_DEPS),
        ({"status": "RUNNABLE"}, Q),
        ({"status": "STARTING"}, Q),
        ({"status": "RUNNING"}, R),
        ({"status": "SUCCEEDED"}, S),
        ({"status": "FAILED", "startedAt": 1}, F),
        ({"status": "FAILED"}, D),
        ({"status": "FAILED", "statusReason": "aborted_by_user: enough"}, U),
        ({"status": "FAILED", "statusReason": "ABORTED_BY_USER: enough", "startedAt": 1}, U),
    ],
)
def test_the_status_of_a_job(detail: dict[str, Any], status: JobStatus):
    assert job_status(detail) is status


GRAPH = read_graph(
    {
        "StartAt": "a",
        "States": {
            "a": {"Type": "Task", "Resource": "one", "Next": "c"},
            "b": {"Type": "Task", "Resource": "two", "DependsOn": ["a"], "Next": "d"},
            "c": {"Type": "Task", "Resource": "three", "Next": "d"},
            "d": {"Type": "Task", "Resource": "four", "End": True},
        },
    }
)


def detail(job_id: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"jobId": job_id, "status": status, "jobQueue": "arn:queue", "createdAt": 1_700_000_000_000, **fields}


def told(status: Status, details: dict[str, Any], results: dict[str, list[str]]) -> dict[str, Any]:
    about = WorkflowDefinition(name="x", manager="batch")
    workflow = Workflow(id="w", workflow_definition=about, namespace="ns", input='["x","y"]')
    return {job.state: job for job in jobs_of(workflow, status, GRAPH, details, results)}


def test_52_times_outputs_and_inputs():
    attempt = {
        "startedAt": 1_700_000_001_000, "stoppedAt": 1_700_000_002_000, "statusReason": "gone",
        "container": {"containerInstanceArn": "arn:instance", "taskArn": "arn:task", "exitCode": 3, "reason": "OOM"},
    }  # fmt: skip
    ended = {"startedAt": 1_700_000_003_000, "stoppedAt": 1_700_000_004_000, "attempts": [attempt]}
    jobs = told(
        Status.RUNNING,
        {
            "a": detail("1", "SUCCEEDED", **ended, container={"containerInstanceArn": "arn:instance"}),
            "b": detail("2", "SUCCEEDED"),
            "c": detail("3", "SUCCEEDED"),
            "d": detail("4", "RUNNABLE"),
        },
        {"1": ["from a"], "2": ["from b"], "3": ["from c", "too"]},
    )
    assert [job.status for job in jobs.values()] == [S, S, S, Q]
    assert [job.input for job in jobs.values()][:2] == ['["x","y"]', '["from a"]']
    assert sorted(json.loads(jobs["d"].input)) == ["from b", "from c", "too"]
    assert jobs["c"].output == '["from c","too"]'
    assert jobs["d"].output is None
    first = jobs["a"]
    assert (first.id, first.name, first.queue, first.container) == ("1", "ns--one", "arn:queue", "arn:instance")
    assert (first.state_resource.name, first.state_resource.type) == ("one", "JobDefinitionARN")
    assert [time.timestamp() for time in (first.created_at, first.started_at, first.stopped_at)] == [
        1_700_000_000, 1_700_000_003, 1_700_000_004,
    ]  # fmt: skip
    (tried,) = first.attempts
    assert (tried.exit_code, tried.reason, tried.task_arn, tried.container_instance_arn) == (
        3, "OOM", "arn:task", "arn:instance",
    )  # fmt: skip


def test_52_a_dependency_that_failed_gives_nothing():
    jobs = told(Status.FAILED, {"a": detail("1", "FAILED", startedAt=1)}, {"1": ["half"]})
    assert [job.status for job in jobs.values()] == [F, D, D, D]
    assert jobs["b"].input == "[]"
    assert last_job(list(jobs.values())).state == "a"


def test_what_was_not_submitted():
    assert {job.status for job in told(Status.RUNNING, {}, {}).values()} == {JobStatus.WAITING_FOR_DEPS}
    assert {job.status for job in told(Status.CANCELLED, {}, {}).values()} == {U}
    running = detail("1", "RUNNING", startedAt=1)
    assert told(Status.CANCELLED, {"a": running}, {})["a"].status is U
    assert told(Status.FAILED, {"a": running}, {})["a"].status is D
