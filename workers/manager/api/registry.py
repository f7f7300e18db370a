"""`/state-resources` and `/queues`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from workers.manager.api.answers import answer, done
from workers.manager.api.depends import ManagerHere, NamePath, failures
from workers.manager.errors import InvalidError
from workers.manager.model import QueueState, StateResource
from workers.manager.requests import NewStateResource, QueueLimit

router = APIRouter()
QueuePath = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f\x7f]+$")]
NamespacePath = Annotated[str, Path(min_length=1, max_length=80)]


@router.get(
    "/state-resources",
    tags=["state resources"],
    operation_id="getStateResources",
    response_model=list[StateResource],
    responses=failures(),
)
async def get_state_resources(
    manager: ManagerHere, namespace: Annotated[str | None, Query(max_length=80)] = None
) -> Response:
    """All state resources, or those of a namespace."""
    return answer(await manager.state_resources(namespace))


@router.post(
    "/state-resources",
    tags=["state resources"],
    operation_id="postStateResource",
    status_code=201,
    response_model=StateResource,
    responses=failures(413),
)
async def post_state_resource(manager: ManagerHere, body: NewStateResource) -> Response:
    """Creates a state resource, or replaces it."""
    return answer(await manager.put_state_resource(body), status=201)


@router.get(
    "/state-resources/{namespace}/{name}",
    tags=["state resources"],
    operation_id="getStateResource",
    response_model=StateResource,
    responses=failures(404),
)
async def get_state_resource(manager: ManagerHere, namespace: NamespacePath, name: NamePath) -> Response:
    """One state resource."""
    return answer(await manager.state_resource(namespace, name))


@router.put(
    "/state-resources/{namespace}/{name}",
    tags=["state resources"],
    operation_id="putStateResource",
    status_code=201,
    response_model=StateResource,
    responses=failures(413),
)
async def put_state_resource(
    manager: ManagerHere, namespace: NamespacePath, name: NamePath, body: NewStateResource
) -> Response:
    """Creates a state resource, or replaces it."""
    if body.name != name:
        raise InvalidError("StateResource.Name does not match name in path")
    if body.namespace != namespace:
        raise InvalidError("StateResource.Namespace does not match namespace in path")
    return answer(await manager.put_state_resource(body), status=201)


@router.delete(
    "/state-resources/{namespace}/{name}",
    tags=["state resources"],
    operation_id="deleteStateResource",
    response_class=Response,
    responses=failures(404),
)
async def delete_state_resource(manager: ManagerHere, namespace: NamespacePath, name: NamePath) -> Response:
    """Deletes a state resource."""
    await manager.delete_state_resource(namespace, name)
    return done()


@router.get("/queues", tags=["queues"], operation_id="getQueues", response_model=list[QueueState], responses=failures())
async def get_queues(manager: ManagerHere) -> Response:
    """Every queue that has a limit, or workflows that have not ended."""
    return answer(await manager.queues())


@router.put(
    "/queues/{name}",
    tags=["queues"],
    operation_id="putQueue",
    response_model=QueueState,
    responses=failures(413),
)
async def put_queue(manager: ManagerHere, name: QueuePath, body: QueueLimit) -> Response:
    """Sets how many workflows of a queue run at a time: the others wait, and start in their order."""
    return answer(await manager.put_queue(name, body.limit))


@router.delete(
    "/queues/{name}", tags=["queues"], operation_id="deleteQueue", response_class=Response, responses=failures(404)
)
async def delete_queue(manager: ManagerHere, name: NamePath) -> Response:
    """Takes the limit of a queue away."""
    await manager.delete_queue(name)
    return done()
