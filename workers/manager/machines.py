"""The state machines of workflow definitions: created when they are first needed, and then remembered."""

from collections import OrderedDict
from dataclasses import dataclass

import anyio

from workers.arns import NAME_LIMIT
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.registered import find
from workers.machines.registration.wanted import wanted
from workers.manager.errors import ConflictError
from workers.manager.model import WorkflowDefinition, WorkflowSummary
from workers.manager.store.interface import DefinitionStore
from workers.manager.translation.machine import Translation, translate
from workers.manager.translation.names import IDENTITY_TAG, NAME_TAG
from workers.stepfunctions.account import Account

_REMEMBERED = 10_000
_Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine that exists."""

    arn: str
    created: float | None = None
    """When it was created, if it was just now (`time.monotonic()`)."""


class Machines:
    """Finds or creates the machine of a workflow, with one look at AWS for each machine as long as it is remembered.

    `role`: the ARN of the role of machines that are created; `create_role`: each gets one of its own.
    """

    def __init__(
        self, account: Account, definitions: DefinitionStore, *, role: str | None = None, create_role: bool = False
    ) -> None:
        self._account = account
        self._definitions = definitions
        self._role = role
        self._create_role = create_role
        self._known: OrderedDict[_Key, Machine] = OrderedDict()
        self._looking: dict[_Key, anyio.Lock] = {}

    async def of(self, workflow: WorkflowSummary) -> Machine:
        """The machine that runs `workflow`. Raises `ManagerError` for what cannot be, and `ServiceError`."""
        key = _key(workflow)
        if found := self._remembered(key):
            return found
        try:
            async with self._looking.setdefault(key, anyio.Lock()):
                if found := self._remembered(key):
                    return found
                definition = await self._definition(workflow.workflow_definition)
                machine = await self._ensure(self._translated(definition, workflow))
                self._known[key] = machine
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        finally:
            self._looking.pop(key, None)
        return machine

    def forget(self, workflow: WorkflowSummary) -> None:
        """Looks again for the machine of `workflow` the next time, because it was not there any more."""
        self._known.pop(_key(workflow), None)

    def _remembered(self, key: _Key) -> Machine | None:
        if found := self._known.get(key):
            self._known.move_to_end(key)
        return found

    async def _definition(self, known: WorkflowDefinition) -> WorkflowDefinition:
        if known.state_machine is not None:
            return known
        return await self._definitions.definition(known.name, known.version)

    def _translated(self, definition: WorkflowDefinition, workflow: WorkflowSummary) -> Translation:
        place, start_at = self._account.place, workflow.start_at
        return translate(definition, place=place, namespace=workflow.namespace, start_at=start_at)

    async def _ensure(self, machine: Translation) -> Machine:
        """Looks first, because nearly always the machine is there as it should be."""
        wish = wanted(self._account, machine.name, machine.asl, {"role": self._role})
        known = await find(self._account, wish.arn)
        if known and not list(wish.configuration.differences(known.configuration)):
            return Machine(wish.arn)
        if known:
            await self._check_owner(machine, wish.arn)
        registered = await ensure_state_machine(
            machine.name,
            machine.asl,
            role=self._role,
            create_role=self._create_role and not self._role,
            tags=machine.tags,
            account=self._account,
        )
        return Machine(registered.arn, registered.created)

    async def _check_owner(self, machine: Translation, arn: str) -> None:
        """Refuses to change a machine that only has the same name."""
        known = await find(self._account, arn, tags=True)
        tags = (known and known.configuration.tags) or {}
        owner = tags.get(IDENTITY_TAG)
        if owner == machine.identity.digest or (owner is None and tags.get(NAME_TAG) == machine.tags[NAME_TAG]):
            return
        raise ConflictError(
            f"the state machine {machine.name} exists already, and not for this definition: names of definitions "
            f"differ only in what AWS refuses in the {NAME_LIMIT} characters of a name, or it was made by somebody "
            "else. Take another name or namespace"
        )


def _key(workflow: WorkflowSummary) -> _Key:
    definition = workflow.workflow_definition
    return workflow.namespace, definition.name, definition.version, workflow.start_at or ""
