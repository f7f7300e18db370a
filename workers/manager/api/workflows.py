"""`/workflows`, and `/jobs/` in the form of 2017."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from workers.manager.api.answers import answer, done
from workers.manager.api.depends import (
    DefinitionsHere,
    IdempotencyHeader,
    IdPath,
    ManagerHere,
    failures,
    shown,
)
from workers.manager.api.listing import WorkflowFilter, next_page_path, query_of
from workers.manager.model import Model, Time, Workflow, WorkflowSummary
from workers.manager.requests import CancelReason, StartJob, StartWorkflow, WorkflowDefinitionOverrides

router = APIRouter(tags=["workflows"])
_NEXT_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "X-Next-Page-Path": {
                "description": "The path of the next page, with all that was asked; absent on the last one.",
                "schema": {"type": "string"},
            }
        }
    }
}


class Deleted(Model):
    """How many workflows were forgotten."""

    deleted: int


@router.post("/workflows", operation_id="startWorkflow", response_model=Workflow, responses=failures(404, 409, 413))
async def start_workflow(
    manager: ManagerHere, definitions: DefinitionsHere, body: StartWorkflow, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Starts a workflow. It may wait in its queue."""
    wanted = body.workflow_definition
    started = await manager.start_workflow(
        wanted.name,
        body.input,
        version=wanted.version if wanted.version >= 0 else None,
        namespace=body.namespace,
        queue=body.queue,
        tags=body.tags,
        idempotency_key=idempotency_key,
    )
    return answer(await shown(manager, definitions, started))


@router.post("/jobs/", operation_id="startJob", response_model=Workflow, responses=failures(404, 409, 413))
@router.post("/jobs", include_in_schema=False)
async def start_job(
    manager: ManagerHere, definitions: DefinitionsHere, body: StartJob, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Starts a workflow with a list as input, as in 2017; its input becomes the object `{"args": […]}`."""
    wanted = body.workflow_definition
    started = await manager.start_workflow(
        wanted.name,
        json.dumps({"args": body.input}, ensure_ascii=False),
        version=wanted.version if wanted.version >= 0 else None,
        namespace=body.namespace,
        queue=body.queue,
        tags=body.tags,
        idempotency_key=idempotency_key,
    )
    return answer(await shown(manager, definitions, started))


@router.get(
    "/workflows",
    operation_id="getWorkflows",
    response_model=list[WorkflowSummary],
    responses=_NEXT_PAGE | failures(),
)
async def get_workflows(manager: ManagerHere, asked: Annotated[WorkflowFilter, Query()]) -> Response:
    """Workflows, the newest first: those for which everything holds that is asked for."""
    page = await manager.workflows(query_of(asked))
    response = answer(page.items)
    if page.next_page_token is not None:
        response.headers["X-Next-Page-Path"] = next_page_path(asked, page.next_page_token)
    return response


@router.delete("/workflows", operation_id="deleteWorkflows", response_model=Deleted, responses=failures())
async def delete_workflows(
    manager: ManagerHere, ended_before: Annotated[Time, Query(alias="endedBefore", description="Ended before then.")]
) -> Response:
    """Forgets workflows that ended before a time."""
    return answer(Deleted(deleted=await manager.delete_workflows(ended_before)))


@router.get(
    "/workflows/{workflow_id}", operation_id="getWorkflowByID", response_model=Workflow, responses=failures(404)
)
async def get_workflow(
    manager: ManagerHere,
    definitions: DefinitionsHere,
    workflow_id: IdPath,
    *,
    fetch_history: Annotated[bool, Query(alias="fetchHistory", description="With its jobs.")] = False,
) -> Response:
    """A workflow as it is now."""
    return answer(await shown(manager, definitions, await manager.workflow(workflow_id, history=fetch_history)))


@router.delete(
    "/workflows/{workflow_id}",
    operation_id="CancelWorkflow",
    response_class=Response,
    responses=failures(404, 409, 413),
)
async def cancel_workflow(
    manager: ManagerHere, workflow_id: IdPath, body: CancelReason, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Cancels a workflow that has not ended."""
    await manager.cancel_workflow(workflow_id, body.reason, idempotency_key=idempotency_key)
    return done()


@router.post(
    "/workflows/{workflow_id}",
    operation_id="resumeWorkflowByID",
    response_model=Workflow,
    responses=failures(404, 409, 413),
)
async def resume_workflow(
    manager: ManagerHere,
    definitions: DefinitionsHere,
    workflow_id: IdPath,
    body: WorkflowDefinitionOverrides,
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Starts a new workflow at a state of one that has ended, with the input that the state had there."""
    resumed = await manager.resume_workflow(workflow_id, body.start_at, idempotency_key=idempotency_key)
    return answer(await shown(manager, definitions, resumed))


@router.post(
    "/workflows/{workflow_id}/resolved",
    operation_id="resolveWorkflowByID",
    status_code=201,
    response_class=Response,
    responses=failures(404, 409),
)
async def resolve_workflow(
    manager: ManagerHere, workflow_id: IdPath, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Says that nobody need look at a workflow any more."""
    await manager.resolve_workflow(workflow_id, idempotency_key=idempotency_key)
    return done(201)


@router.post(
    "/workflows/{workflow_id}/redrive",
    operation_id="redriveWorkflowByID",
    response_model=Workflow,
    responses=failures(404, 409),
)
async def redrive_workflow(
    manager: ManagerHere, definitions: DefinitionsHere, workflow_id: IdPath, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Lets a workflow that failed or was cancelled go on where it ended."""
    redriven = await manager.redrive_workflow(workflow_id, idempotency_key=idempotency_key)
    return answer(await shown(manager, definitions, redriven))


@router.post(
    "/workflows/{workflow_id}/refresh",
    operation_id="refreshWorkflowByID",
    response_model=Workflow,
    responses=failures(404),
)
async def refresh_workflow(manager: ManagerHere, definitions: DefinitionsHere, workflow_id: IdPath) -> Response:
    """Reads the status and the jobs of a workflow from Step Functions, whatever is known already."""
    return answer(await shown(manager, definitions, await manager.refresh_workflow(workflow_id)))
