"""The statuses of jobs of AWS Batch, and what they make of their workflow."""

from collections.abc import Collection, Mapping
from typing import Any

from workers.manager.model import JobStatus, Status

BY_USER = "aborted_by_user"
"""How the reason begins of a job that a user has ended."""
_STATUSES = {
    "SUBMITTED": JobStatus.CREATED,
    "PENDING": JobStatus.WAITING_FOR_DEPS,
    "RUNNABLE": JobStatus.QUEUED,
    "STARTING": JobStatus.QUEUED,
    "RUNNING": JobStatus.RUNNING,
    "SUCCEEDED": JobStatus.SUCCEEDED,
}


def job_status(detail: Mapping[str, Any]) -> JobStatus:
    """The status of a job as DescribeJobs tells of it."""
    if detail.get("status") != "FAILED":
        return _STATUSES.get(str(detail.get("status")), JobStatus.CREATED)
    if str(detail.get("statusReason", "")).lower().startswith(BY_USER):
        return JobStatus.ABORTED_BY_USER
    return JobStatus.FAILED if detail.get("startedAt") else JobStatus.ABORTED_DEPS_FAILED


def workflow_status(jobs: Collection[JobStatus], present: Status) -> Status:
    """What jobs make of a workflow that is `present`; what was cancelled stays so, and so does what has no jobs."""
    if present is Status.CANCELLED or JobStatus.ABORTED_BY_USER in jobs:
        return Status.CANCELLED
    if {JobStatus.FAILED, JobStatus.ABORTED_DEPS_FAILED} & {*jobs}:
        return Status.FAILED
    if JobStatus.RUNNING in jobs:
        return Status.RUNNING
    return Status.SUCCEEDED if jobs and {*jobs} == {JobStatus.SUCCEEDED} else present
