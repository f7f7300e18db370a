"""The jobs that `.sync` waits for: how to look at one, when it has ended, and how to stop it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

INTERVAL = 0.25
"""Seconds between two looks at a job."""


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job. Parameters are as botocore wants them, made from the answer that started the job."""

    describe: str
    describe_parameters: Callable[[Any], dict[str, Any]]
    described: Callable[[Any], Any]
    """The job itself, in the answer of `describe`."""
    ended: Callable[[Any], bool | None]
    """Whether the job succeeded; None while it runs."""
    stop: str
    stop_parameters: Callable[[Any], dict[str, Any]]
    interval: float = INTERVAL


def _by(key: str, succeeded: set[str], failed: set[str]) -> Callable[[Any], bool | None]:
    def ended(job: Any) -> bool | None:
        status = job.get(key)
        return True if status in succeeded else False if status in failed else None

    return ended


def _tasks_ended(task: Any) -> bool | None:
    """A task of ECS has succeeded when all its containers left with 0."""
    if task.get("LastStatus") != "STOPPED":
        return None
    return all(container.get("ExitCode", 0) == 0 for container in task.get("Containers", []))


_REASON = "Stopped by the state machine that started it"

JOBS: dict[str, Job] = {
    "batch:submitJob": Job(
        "DescribeJobs",
        lambda answer: {"jobs": [answer["JobId"]]},
        lambda described: described["Jobs"][0],
        _by("Status", {"SUCCEEDED"}, {"FAILED"}),
        "TerminateJob",
        lambda answer: {"jobId": answer["JobId"], "reason": _REASON},
    ),
    "codebuild:startBuild": Job(
        "BatchGetBuilds",
        lambda answer: {"ids": [answer["Build"]["Id"]]},
        lambda described: {"Build": described["Builds"][0]},
        lambda job: _by("BuildStatus", {"SUCCEEDED"}, {"FAILED", "FAULT", "STOPPED", "TIMED_OUT"})(job["Build"]),
        "StopBuild",
        lambda answer: {"id": answer["Build"]["Id"]},
    ),
    "ecs:runTask": Job(
        "DescribeTasks",
        lambda answer: {"cluster": answer["Tasks"][0]["ClusterArn"], "tasks": [answer["Tasks"][0]["TaskArn"]]},
        lambda described: described["Tasks"][0],
        _tasks_ended,
        "StopTask",
        lambda answer: {"cluster": answer["Tasks"][0]["ClusterArn"], "task": answer["Tasks"][0]["TaskArn"]},
    ),
    "glue:startJobRun": Job(
        "GetJobRun",
        lambda answer: {"JobName": answer["JobName"], "RunId": answer["JobRunId"]},
        lambda described: described["JobRun"],
        _by("JobRunState", {"SUCCEEDED"}, {"FAILED", "STOPPED", "TIMEOUT", "ERROR"}),
        "BatchStopJobRun",
        lambda answer: {"JobName": answer["JobName"], "JobRunIds": [answer["JobRunId"]]},
    ),
    "athena:startQueryExecution": Job(
        "GetQueryExecution",
        lambda answer: {"QueryExecutionId": answer["QueryExecutionId"]},
        lambda described: described,
        lambda job: _by("State", {"SUCCEEDED"}, {"FAILED", "CANCELLED"})(job["QueryExecution"]["Status"]),
        "StopQueryExecution",
        lambda answer: {"QueryExecutionId": answer["QueryExecutionId"]},
    ),
}
"""By service and action."""
