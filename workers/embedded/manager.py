"""`EmbeddedManager`: a workflow manager whose tasks are functions of the application."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, Self

from aiobotocore.session import AioSession

from workers.embedded.activities import Activities, claiming
from workers.embedded.definitions import REPLACED, Names, check_definition, read_definitions
from workers.embedded.functions import own_registry
from workers.embedded.machines import Machines
from workers.embedded.refused import Refused, refuse
from workers.embedded.workflows import EmbeddedWorkflows
from workers.errors import ExitCode
from workers.manager.errors import ConflictError, InvalidError, NotFoundError
from workers.manager.model import WorkflowDefinition
from workers.manager.requests import NewWorkflowDefinition
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account
from workers.supervisor.worker import Worker

Functions = Registry | Mapping[str, Callable[..., Any]]


class EmbeddedManager(Refused, EmbeddedWorkflows):
    """The workflow manager of an application in an environment. An async context manager.

    It has the methods of `workers.manager.interface.WorkflowManager`, as the client of the service has; what it cannot
    do raises `NotSupportedError`. Its machines and activities are called `ENVIRONMENT--APPLICATION-NAME`, and tagged
    with the application: one that another application made is refused with `ConflictError`.

    `functions`: what the `Task` states of its definitions may name: a registry, or functions by their names.
    `definitions`: a YAML file, its text as bytes, or definitions. `role`: the ARN of the role of machines that are
    created, or `create_role` for one of its own each. `changed`: what happens when a definition is not as Step
    Functions has it: `refuse` raises `ConflictError` with the difference; `update` updates it, as one of version -1 is.
    `settings` say where AWS is and how many tasks of a function run at once, one by default; `session` is an
    aiobotocore session.

    Raises `InvalidError` for definitions that cannot be, `RegistrationError` for functions that cannot.
    """

    def __init__(
        self,
        environment: str,
        application: str,
        functions: Functions,
        *,
        definitions: str | Path | bytes | Iterable[NewWorkflowDefinition] = (),
        role: str | None = None,
        create_role: bool = False,
        changed: Literal["refuse", "update"] = "refuse",
        settings: Settings | None = None,
        session: AioSession | None = None,
    ) -> None:
        if changed not in {"refuse", "update"}:
            raise InvalidError(f"changed is {changed!r}: it must be refuse or update")
        self.names = Names(environment, application)
        self.settings = _own_settings(settings or Settings(), self.names)
        self._registry, self._functions = own_registry(functions, self.names)
        self._definitions: dict[str, WorkflowDefinition] = {}
        activities = Activities(self.names, self._functions, create=self.settings.create)
        self._registry.lifespans.insert(0, claiming(activities, self._opened))
        self._machines = Machines(
            self.names, activities, role=role, create_role=create_role, update=changed == "update"
        )
        self._session = session
        self._stack = AsyncExitStack()
        given = read_definitions(definitions) if isinstance(definitions, str | Path | bytes) else definitions
        for definition in given:
            self._add(definition)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.account = await stack.enter_async_context(self._opened())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failed: object) -> None:
        await self._stack.aclose()

    async def poll_for_work(self, *, signals: bool = False) -> ExitCode:
        """Runs the functions for tasks of the application's workflows, whichever process started them.

        Until it is cancelled, or with `signals` until SIGTERM or SIGINT: then tasks that run may finish within
        `settings.grace`. Needs no open manager.
        """
        return await self.worker().run(signals=signals)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Worker]:
        """Polls for work while it is entered, and waits for running tasks when it is left."""
        async with self.worker() as worker:
            yield worker

    def worker(self) -> Worker:
        """A new worker for the functions."""
        return Worker(self._registry, self.settings, session=self._session)

    async def definitions(self) -> list[WorkflowDefinition]:
        """All of them, by name."""
        return [self._definitions[name] for name in sorted(self._definitions)]

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """The definition `name`, whose only version is the one that it was given with."""
        found = self._definitions.get(name)
        if found is None or version not in {None, REPLACED, found.version}:
            raise NotFoundError(name if version is None else f"{name}@{version}")
        return found

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """The one that there is."""
        return [await self.definition(name)]

    async def create_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Adds a definition. One that is there already must be of version -1, and is replaced.

        `idempotency_key` is of no use here: nothing is lost on the way.
        """
        del idempotency_key
        return self._add(definition)

    async def update_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Not supported: there are no versions."""
        del definition, idempotency_key
        refuse("update_definition", "there are no versions; give it a new name, or version -1 to replace it")

    def _opened(self) -> AbstractAsyncContextManager[Account]:
        return open_account(self.settings, session=self._session)

    def _add(self, given: NewWorkflowDefinition) -> WorkflowDefinition:
        known = self._definitions.get(given.name)
        if known and known.version != REPLACED:
            raise ConflictError(f"the definition {given.name} already exists: only one of version -1 can be replaced")
        definition = check_definition(given, self.names, self._functions)
        self._definitions[given.name] = definition
        self._machines.forget(given.name)
        return definition


def _own_settings(settings: Settings, names: Names) -> Settings:
    """The settings of the application's worker; a function runs one task at a time unless they say more."""
    own: dict[str, Any] = {"namespace": names.environment}
    if "concurrency" not in settings.model_fields_set:
        own["concurrency"] = 1
    if settings.worker_name is None:
        own["worker_name"] = f"{names.application[:40]}-{{host}}-{{pid}}"
    return settings.model_copy(update=own)
