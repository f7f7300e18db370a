"""What routes are given: the manager, and the documents of definitions."""

from collections import OrderedDict
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request

from workers.manager.interface import WorkflowManager
from workers.manager.model import Model, Workflow

_REMEMBERED = 1_000


class Failure(Model):
    """What was wrong."""

    message: str
    """What, where, and what to do."""
    problems: list[dict[str, Any]] | None = None
    """All problems of a definition: code, path, line, message, severity."""


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers, beside the good one, that an operation may give."""
    said = {
        400: "What was asked cannot be.",
        401: "No known token was sent.",
        403: "The token may only read, or the request comes from elsewhere.",
        404: "There is none.",
        409: "It exists already, or its state does not allow it.",
        413: "It is too large.",
        424: "AWS does not let the service do what that needs; trying again does not help.",
        503: "Something that is needed does not answer; trying again may help.",
    }
    return {status: {"model": Failure, "description": said[status]} for status in (400, 401, 403, 424, 503, *statuses)}


class Definitions:
    """What is large of definitions, as it was read: that of a version never changes."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def whole(self, manager: WorkflowManager, workflow: Workflow) -> Workflow:
        """The workflow with the whole of its definition, as the first clients expect it."""
        known = workflow.workflow_definition
        if known.state_machine is not None:
            return workflow
        if known.id is not None and known.id in self._known:
            whole = known.model_copy(update=self._known[known.id])
        else:
            whole = await manager.definition(known.name, known.version)
            self._known[whole.id or ""] = {"state_machine": whole.state_machine, "input_schema": whole.input_schema}
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return workflow.model_copy(update={"workflow_definition": whole})


# Asynchronous, though they wait for nothing: others would run in a thread.
async def _manager(request: Request) -> WorkflowManager:
    manager: WorkflowManager = request.app.state.manager
    return manager


async def _definitions(request: Request) -> Definitions:
    definitions: Definitions = request.app.state.definitions
    return definitions


ManagerHere = Annotated[WorkflowManager, Depends(_manager)]
DefinitionsHere = Annotated[Definitions, Depends(_definitions)]
NamePath = Annotated[str, Path(min_length=1, max_length=200)]
VersionPath = Annotated[int, Path(ge=0, le=2_147_483_647)]
IdPath = Annotated[str, Path(min_length=1, max_length=200)]
IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="What is asked with the same key twice, within a day, is done once.",
    ),
]


async def shown(manager: WorkflowManager, definitions: Definitions, workflow: Workflow) -> dict[str, Any]:
    """A workflow as one is shown: with its definition, and with a list of jobs in any case."""
    document: dict[str, Any] = (await definitions.whole(manager, workflow)).to_json()
    return {"jobs": []} | document
