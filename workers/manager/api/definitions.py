"""`/workflow-definitions`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from workers.manager.api.answers import answer, done
from workers.manager.api.depends import IdempotencyHeader, ManagerHere, NamePath, VersionPath, failures
from workers.manager.errors import InvalidError
from workers.manager.model import WorkflowDefinition
from workers.manager.requests import Deprecation, NewWorkflowDefinition

router = APIRouter(tags=["definitions"], prefix="/workflow-definitions")


@router.get("", operation_id="getWorkflowDefinitions", response_model=list[WorkflowDefinition], responses=failures())
async def get_workflow_definitions(manager: ManagerHere) -> Response:
    """The latest version of every definition, by name."""
    return answer(await manager.definitions())


@router.post(
    "",
    operation_id="newWorkflowDefinition",
    status_code=201,
    response_model=WorkflowDefinition,
    responses=failures(409, 413),
)
async def new_workflow_definition(
    manager: ManagerHere, body: NewWorkflowDefinition, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Creates version 0 of a definition. All problems of its machine are told at once."""
    return answer(await manager.create_definition(body, idempotency_key=idempotency_key), status=201)


@router.get(
    "/{name}",
    operation_id="getWorkflowDefinitionVersionsByName",
    response_model=list[WorkflowDefinition],
    responses=failures(404),
)
async def get_workflow_definition_versions(
    manager: ManagerHere, name: NamePath, *, latest: Annotated[bool, Query(description="Only the latest.")] = True
) -> Response:
    """The latest version of a definition, in a list, or all versions, the first one first."""
    return answer([await manager.definition(name)] if latest else await manager.definition_versions(name))


@router.put(
    "/{name}",
    operation_id="updateWorkflowDefinition",
    status_code=201,
    response_model=WorkflowDefinition,
    responses=failures(404, 409, 413),
)
async def update_workflow_definition(
    manager: ManagerHere, name: NamePath, body: NewWorkflowDefinition, idempotency_key: IdempotencyHeader = None
) -> Response:
    """Creates the next version of a definition; the versions before stay as they are."""
    if body.name != name:
        raise InvalidError("Name in path must match WorkflowDefinition object")
    return answer(await manager.update_definition(body, idempotency_key=idempotency_key), status=201)


@router.delete(
    "/{name}", operation_id="deleteWorkflowDefinition", response_class=Response, responses=failures(404, 409)
)
async def delete_workflow_definition(manager: ManagerHere, name: NamePath) -> Response:
    """Deletes all versions of a definition that has no workflows."""
    await manager.delete_definition(name)
    return done()


@router.post(
    "/{name}/deprecated",
    operation_id="deprecateWorkflowDefinition",
    response_model=list[WorkflowDefinition],
    responses=failures(404, 413),
)
async def deprecate_workflow_definition(manager: ManagerHere, name: NamePath, body: Deprecation) -> Response:
    """Says that nothing new is to be started with a definition, or takes that back; returns its versions."""
    await manager.deprecate_definition(name, body.version, deprecated=body.deprecated)
    return answer(await manager.definition_versions(name))


@router.get(
    "/{name}/{version}",
    operation_id="getWorkflowDefinitionByNameAndVersion",
    response_model=WorkflowDefinition,
    responses=failures(404),
)
async def get_workflow_definition(manager: ManagerHere, name: NamePath, version: VersionPath) -> Response:
    """One version of a definition."""
    return answer(await manager.definition(name, version))
