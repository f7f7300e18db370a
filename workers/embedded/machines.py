"""The state machines of an application's definitions: registered when the first workflow starts."""

import anyio

from workers.embedded.activities import OWNER, Activities
from workers.embedded.definitions import REPLACED, Names, own_machine
from workers.machines.registration.difference import diff
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.registered import find
from workers.machines.registration.results import Registered
from workers.manager.errors import ConflictError
from workers.manager.model import WorkflowDefinition
from workers.stepfunctions.account import Account


class Machines:
    """Registers each once in the life of the process, or when its definition is replaced."""

    def __init__(
        self, names: Names, activities: Activities, *, role: str | None, create_role: bool, update: bool
    ) -> None:
        self._names = names
        self._activities = activities
        self._role = role
        self._create_role = create_role
        self._update = update
        self._known: dict[str, Registered] = {}
        self._turn = anyio.Lock()

    def forget(self, name: str) -> None:
        """The definition `name` is another one from now on."""
        self._known.pop(name, None)

    async def of(self, account: Account, definition: WorkflowDefinition) -> Registered:
        """The machine of a definition.

        Raises `ConflictError` where another is registered and may not be changed, or an activity is another
        application's.
        """
        async with self._turn:
            if definition.name not in self._known:
                self._known[definition.name] = await self._register(account, definition)
            return self._known[definition.name]

    async def _register(self, account: Account, definition: WorkflowDefinition) -> Registered:
        await self._activities.claim(account)
        name = self._names.own(definition.name)
        machine = own_machine(definition.state_machine or {}, self._names)
        known = await find(account, account.state_machine(name), tags=True)
        if known and (known.configuration.tags or {}).get(OWNER) != self._names.application:
            raise ConflictError(
                f"the state machine {self._names.full(definition.name)} exists already, and was not made for the "
                f"application {self._names.application}: give the definition another name"
            )
        if known and not (self._update or definition.version == REPLACED):
            found = await diff(name, machine, account=account)
            if found.lines:
                said = "\n".join(found.lines)
                raise ConflictError(
                    f"the definition {definition.name} is not what Step Functions has: give it another name, the "
                    f"version -1, or changed='update' to the manager. The difference:\n{said}"
                )
        names = {OWNER: self._names.application, "environment": self._names.environment}
        tags = {**definition.default_tags, "workflow-definition-name": definition.name, **names}
        return await ensure_state_machine(
            name, machine, role=self._role, create_role=self._create_role, tags=tags, account=account
        )
