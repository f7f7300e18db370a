"""What the history of a workflow, AWS Batch and the table of results tell of its jobs, put together."""

from collections.abc import Sequence
from typing import Any

import structlog

from workers.histories.visits import Visit
from workers.manager.batch.batch import FAULTS, Batch
from workers.manager.batch.jobs import jobs_of, last_job, submitted
from workers.manager.batch.starting import graph_of
from workers.manager.batch.statuses import job_status, workflow_status
from workers.manager.jobs import Story
from workers.manager.model import Change, Status, Workflow, WorkflowDefinition
from workers.stepfunctions.connection import Connection

log = structlog.get_logger(__name__)


async def batch_story(
    workflow: Workflow,
    status: Status,
    visits: Sequence[Visit],
    definition: WorkflowDefinition,
    *,
    batch: Batch,
    connection: Connection,
) -> Story:
    """The jobs of a workflow that is `status` now. What Batch does not tell stays as the history has it."""
    graph = graph_of(definition, workflow.start_at)
    details = {state: detail for state, detail in submitted(visits).items() if state in graph.states}
    try:
        open_ = [str(detail["jobId"]) for detail in details.values() if not job_status(detail).done]
        known = await batch.details(connection, open_)
        results = await batch.outputs(connection, [str(detail["jobId"]) for detail in details.values()])
    except FAULTS as error:
        log.warning("jobs cannot be looked at", workflow=workflow.id, error=str(error))
        known, results = {}, {}
    details = {state: known.get(str(detail["jobId"]), detail) for state, detail in details.items()}
    jobs = jobs_of(workflow, status, graph, details, results)
    return Story(jobs, last_job(jobs), None)


def judged(workflow: Workflow, change: Change | None, story: Story) -> Change | None:
    """A change, with the status that the jobs make of it: it runs when a job does, and a user may have ended a job."""
    status = workflow_status([job.status for job in story.jobs], workflow.status)
    fields: dict[str, Any] = change.given() if change else {}
    if fields.get("status", workflow.status) is Status.FAILED and status is Status.CANCELLED:
        fields |= {"status": Status.CANCELLED, "resolved_by_user": True}
        fields["status_reason"] = story.last_job and story.last_job.status_reason
    begun = any(job.started_at for job in story.jobs)
    if workflow.status is Status.QUEUED and "status" not in fields and begun:
        fields["status"] = Status.RUNNING
    return Change(**fields) if fields else None
