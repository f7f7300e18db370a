"""The jobs of a workflow that AWS Batch runs: from the history, from Batch while it knows them, from their results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workers.histories.visits import Visit
from workers.manager.batch.graph import Graph, JobState
from workers.manager.batch.machine import job_name
from workers.manager.batch.statuses import job_status
from workers.manager.model import Attempt, Job, JobResource, JobStatus, ResourceType, Status, Workflow

Detail = Mapping[str, Any]
"""A job as DescribeJobs tells of it."""


def submitted(visits: Iterable[Visit]) -> dict[str, Detail]:
    """What a history tells of jobs, by their states: at the least the id, of those that have ended everything."""
    found: dict[str, Detail] = {}
    for visit in visits:
        for event in visit.events:
            key = {"TaskSubmitted": "output", "TaskSucceeded": "output", "TaskFailed": "cause"}.get(event.type)
            detail = _camel(_document(event.details.get(key))) if key else None
            if isinstance(detail, Mapping) and "jobId" in detail:
                found[visit.state] = detail
    return found


def jobs_of(
    workflow: Workflow, status: Status, graph: Graph, details: Mapping[str, Detail], results: Mapping[str, list[Any]]
) -> tuple[Job, ...]:
    """The jobs of a workflow that is `status` now, each after those that it waits for.

    `details` by state; `results` by the ids of jobs.
    """
    made: dict[str, Job] = {}
    outputs = {name: results.get(str(detail["jobId"])) for name, detail in details.items()}
    for name in (name for wave in graph.waves for name in wave):
        state = graph.states[name]
        given = json.loads(workflow.input or "[]") if not state.after else _joined(state, made, outputs)
        detail, output = details.get(name), outputs.get(name)
        fields: dict[str, Any] = {
            "name": job_name(state, workflow.namespace),
            "state": name,
            "state_resource": JobResource(
                name=state.resource, namespace=workflow.namespace, type=ResourceType.JOB_DEFINITION
            ),
            "input": _text(given.get("args", []) if isinstance(given, dict) else given),
            "output": None if output is None else _text(output),
        }
        made[name] = (
            Job(id=name, status=_unsubmitted(status), **fields) if detail is None else _job(detail, status, fields)
        )
    return tuple(made.values())


def last_job(jobs: Sequence[Job]) -> Job | None:
    """The job that a workflow failed in."""
    ended = (JobStatus.FAILED, JobStatus.ABORTED_BY_USER, JobStatus.ABORTED_DEPS_FAILED)
    return next((job for status in ended for job in jobs if job.status is status), jobs[-1] if jobs else None)


def _unsubmitted(status: Status) -> JobStatus:
    """What is not to be submitted any more has been aborted."""
    if status is Status.CANCELLED:
        return JobStatus.ABORTED_BY_USER
    return JobStatus.ABORTED_DEPS_FAILED if status.terminal else JobStatus.WAITING_FOR_DEPS


def _job(detail: Detail, status: Status, fields: dict[str, Any]) -> Job:
    container = detail.get("container") or {}
    found = job_status(detail)
    if not found.done and status.terminal:  # Batch has forgotten how it ended
        found = JobStatus.ABORTED_BY_USER if status is Status.CANCELLED else JobStatus.ABORTED_DEPS_FAILED
    elif status is Status.CANCELLED and found is not JobStatus.SUCCEEDED:
        found = JobStatus.ABORTED_BY_USER  # Step Functions ended it, with a reason of its own
    reasons = (detail.get("statusReason"), container.get("reason"))
    return Job(
        id=str(detail["jobId"]),
        status=found,
        created_at=_time(detail.get("createdAt")),
        started_at=_time(detail.get("startedAt")),
        stopped_at=_time(detail.get("stoppedAt")),
        status_reason="\n".join(reason for reason in reasons if reason) or None,
        container=container.get("containerInstanceArn"),
        queue=detail.get("jobQueue"),
        attempts=tuple(_attempt(one) for one in detail.get("attempts") or ()),
        **fields,
    )


def _attempt(attempt: Detail) -> Attempt:
    container = attempt.get("container") or {}
    return Attempt(
        started_at=_time(attempt.get("startedAt")),
        stopped_at=_time(attempt.get("stoppedAt")),
        containerInstanceARN=container.get("containerInstanceArn"),
        taskARN=container.get("taskArn"),
        reason=container.get("reason") or attempt.get("statusReason"),
        exit_code=container.get("exitCode"),
    )


def _joined(state: JobState, made: Mapping[str, Job], outputs: Mapping[str, list[Any] | None]) -> list[Any]:
    """What a job is given: the outputs of those that it waits for, one after the other."""
    done = (name for name in state.after if made[name].status is JobStatus.SUCCEEDED)
    return [one for name in done for one in outputs.get(name) or ()]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _time(milliseconds: Any) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC) if isinstance(milliseconds, int | float) else None


def _document(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _camel(value: Any) -> Any:
    """Names as Batch has them: Step Functions begins them with capitals."""
    if isinstance(value, dict):
        return {f"{key[:1].lower()}{key[1:]}": _camel(one) for key, one in value.items()}
    return [_camel(one) for one in value] if isinstance(value, list) else value
