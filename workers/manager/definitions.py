"""The service's part for definitions: what may be kept, and what becomes of it."""

from typing import Any
from uuid import uuid4

from anyio import Lock, to_thread

from workers.arns import without_refused
from workers.errors import UsageError
from workers.machines.definition import load
from workers.manager.errors import ConflictError, InvalidError
from workers.manager.model import WorkflowDefinition
from workers.manager.naming import told_before
from workers.manager.requests import NewWorkflowDefinition
from workers.manager.schemas import check_schema
from workers.manager.store.interface import Store
from workers.manager.translation.machine import read_jobs, read_machine
from workers.manager.translation.names import Identity, check_tags
from workers.payloads.document import nodes

_MOST_TAGS = 40
"""AWS allows a state machine fifty, and some are ours."""
_DEEPEST = 200
"""No answer could show what is nested deeper: pydantic writes 255 levels, and there are some around a machine."""


class DefinitionService:
    """Definitions and their versions; see `workers.manager.interface.Definitions`."""

    store: Store
    naming: Lock
    """Held while a new name is compared with the others and taken."""

    async def definitions(self) -> list[WorkflowDefinition]:
        """The latest version of each, by name."""
        return await self.store.definitions()

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """One version; the latest without a number."""
        return await self.store.definition(name, version)

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """All versions, the first one first."""
        return await self.store.definition_versions(name)

    async def create_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates version 0. Raises `InvalidError` with all problems, `ConflictError` for a name that is taken."""
        new = await to_thread.run_sync(_checked, definition)
        async with self.naming:
            await self._check_name(new.name)
            version_id = await self._version_id("create", definition, idempotency_key)
            return await self.store.save_definition(new, version_id=version_id)

    async def update_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates the next version. Raises `InvalidError` with all problems, and `NotFoundError`."""
        new = await to_thread.run_sync(_checked, definition)
        version_id = await self._version_id("update", definition, idempotency_key)
        return await self.store.update_definition(new, version_id=version_id)

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """Says that nothing new is to be started with a version, or with any; or takes that back."""
        await self.store.deprecate_definition(name, version, deprecated=deprecated)

    async def delete_definition(self, name: str) -> None:
        """Deletes all versions. Raises `ConflictError` while there are workflows of it."""
        await self.store.delete_definition(name)

    async def _version_id(self, action: str, definition: NewWorkflowDefinition, key: str | None) -> str:
        """The id of the version that a request is to make: the same for all that have its key."""
        new = str(uuid4())
        return await told_before(self.store, f"{action} definition", key, definition.to_json(), result=new) or new

    async def _check_name(self, name: str) -> None:
        """Two definitions whose names differ only in what AWS refuses would have the same state machines."""
        for other in await self.store.definitions():
            if other.name != name and without_refused(other.name) == without_refused(name):
                raise ConflictError(
                    f"name: {name!r} and {other.name!r} would have the same state machines, for AWS refuses some of "
                    "their characters: take another name"
                )


def _checked(given: NewWorkflowDefinition) -> WorkflowDefinition:
    """The definition to be kept. Raises `InvalidError`."""
    if len(given.default_tags) > _MOST_TAGS:
        raise InvalidError(f"defaultTags: there are {len(given.default_tags)}, and at most {_MOST_TAGS} can be set")
    check_tags(given.default_tags)
    of_batch = given.manager == "batch"
    machine = read_jobs(given.state_machine) if of_batch else read_machine(given.state_machine)
    _check_depth("stateMachine", machine)
    if given.input_schema is not None:
        _check_depth("inputSchema", given.input_schema)
        check_schema(given.input_schema)
    definition = WorkflowDefinition(
        name=given.name,
        manager=given.manager,
        state_machine=machine,
        default_tags=given.default_tags,
        input_schema=given.input_schema,
    )
    try:
        start_at = machine["StartAt"] if of_batch else load(machine).sketch().start_at
    except UsageError as error:
        raise InvalidError(f"stateMachine: {error}") from None
    _ = Identity.of(definition, "", start_at).machine  # refused here, and not when it is first started
    return definition


def _check_depth(what: str, document: dict[str, Any]) -> None:
    if max(len(place) for place, _ in nodes(document)) > _DEEPEST:
        raise InvalidError(f"{what}: it is nested too deeply: more than {_DEEPEST} lists or objects in one another")
