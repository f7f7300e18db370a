"""Starting the execution of a workflow: once, whoever tries it and however often."""

import json
from typing import Any

import structlog

from workers.errors import UsageError
from workers.manager.batch.batch import Batch
from workers.manager.batch.starting import batch_input
from workers.manager.errors import InvalidError, ManagerError, RevisionError, TooLargeError, UnavailableError
from workers.manager.machines import Machine, Machines
from workers.manager.model import Change, Launch, Status, Workflow
from workers.manager.standing import large_values
from workers.manager.store.gathering import Gathered
from workers.manager.store.interface import Store
from workers.manager.translation.additions import EXECUTION_NAME
from workers.manager.translation.names import Identity, first_state
from workers.payloads.document import encode
from workers.payloads.errors import PayloadNotJsonError
from workers.payloads.limits import OUTPUT_LIMIT
from workers.payloads.payloads import Payloads
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import RefusedError, ServiceError

log = structlog.get_logger(__name__)


class Launcher:
    """Starts the executions of workflows that were claimed: their launch is `STARTING`.

    The name of an execution is the id of its workflow, so that it starts once, however often it is tried.
    """

    def __init__(
        self,
        store: Store,
        account: Account,
        machines: Machines,
        payloads: Payloads | None = None,
        batch: Batch | None = None,
    ) -> None:
        self._store = store
        self._gathered = Gathered(store)
        self._account = account
        self._machines = machines
        self._payloads = payloads
        self._batch = batch or Batch()

    async def check(self, workflow: Workflow) -> None:
        """Raises `InvalidError` for what could never start: a name or an input that AWS would refuse."""
        definition = workflow.workflow_definition
        start_at = workflow.start_at or first_state(definition.state_machine or {})
        _ = Identity.of(definition, workflow.namespace, start_at).machine
        document = await self._document(workflow)
        if self._payloads is None:
            _within_limit(encode(document))

    async def launch(self, workflow: Workflow) -> Workflow:
        """Starts it; if that is refused for good, it becomes a workflow that failed.

        Raises `ServiceError` and `UnavailableError` where trying again may help: then it is still claimed, and comes
        again later.
        """
        try:
            return await self.start(workflow)
        except UnavailableError:  # its execution may run already, and only the store does not know it
            raise
        except (ManagerError, UsageError, RefusedError) as error:
            if isinstance(error, ServiceError) and is_missing(error):
                raise
            log.warning("workflow cannot be started", workflow=workflow.id, error=str(error))
            change = Change(status=Status.FAILED, status_reason=str(error), launch=Launch.STARTED)
            try:
                return await self._store.update_workflow(workflow.id, change, revision=workflow.revision)
            except RevisionError:  # this process was paused, and another one has taken the start over
                return await self._store.workflow(workflow.id)

    async def start(self, workflow: Workflow) -> Workflow:
        """Starts it, and raises what Step Functions or the translation say against it."""
        text = await self._input(workflow)
        machine = await self._machines.of(workflow)
        try:
            arn = await self._start(machine, workflow.id, text)
        except ServiceError as error:
            if not is_missing(error):
                raise
            self._machines.forget(workflow)  # somebody has deleted it since it was last used
            arn = await self._start(await self._machines.of(workflow), workflow.id, text)
        change = Change(launch=Launch.STARTED, execution_arn=arn)
        before = workflow.model_copy(update={"workflow_definition": workflow.workflow_definition.brief()})
        started = await self._gathered.update(before, change)
        if started.cancel_reason is not None:  # it was cancelled meanwhile
            await self._stop(started)
        return started

    async def _start(self, machine: Machine, name: str, text: str) -> str:
        try:
            answer = await self._account.call(
                "StartExecution", created=machine.created, stateMachineArn=machine.arn, name=name, input=text
            )
        except ServiceError as error:
            if error.code != "ExecutionAlreadyExists":
                raise
            return self._account.place.execution(machine.arn.rpartition(":")[2], name)
        return str(answer["executionArn"])

    async def _stop(self, workflow: Workflow) -> None:
        try:
            await self._account.call("StopExecution", executionArn=workflow.execution_arn, cause=workflow.cancel_reason)
        except RefusedError as error:
            log.info("workflow ended before it was stopped", workflow=workflow.id, error=error.code)

    async def _input(self, workflow: Workflow) -> str:
        """The input of the execution: the workflow's, with the name of the execution where it is an object."""
        document = await self._document(workflow)
        encoded = encode(document)
        if len(encoded) > OUTPUT_LIMIT and self._payloads:
            encoded = encode(await self._payloads.offload(document, keys=large_values(document), keep=[EXECUTION_NAME]))
        return _within_limit(encoded)

    async def _document(self, workflow: Workflow) -> Any:
        definition = workflow.workflow_definition
        if definition.manager != "batch":
            return _named(workflow)
        if definition.state_machine is None:
            definition = await self._store.definition(definition.name, definition.version)
        given = await batch_input(workflow, definition, queues=self._batch.queues, resources=self._store)
        return given | {EXECUTION_NAME: workflow.id}


def _named(workflow: Workflow) -> Any:
    """The input with the name of the execution, where it is an object: that of one that was resumed may be none."""
    document = json.loads(workflow.input)
    return document | {EXECUTION_NAME: workflow.id} if isinstance(document, dict) else document


def _within_limit(encoded: bytes) -> str:
    if len(encoded) > OUTPUT_LIMIT:
        raise TooLargeError(
            f"input: it has {len(encoded):,} bytes of JSON, and AWS allows {OUTPUT_LIMIT:,}: set a payload store "
            "(--payloads), or pass a reference"
        )
    return encoded.decode()


def read_input(text: str) -> dict[str, Any]:
    """The object in a workflow's input; an empty text is an empty one. Raises `InvalidError`."""
    try:
        value = json.loads(text or "{}", parse_constant=_refused_constant)
        encode(value)  # numbers that are too large, half characters
    except (ValueError, RecursionError, PayloadNotJsonError) as error:
        raise InvalidError(f"input is not a valid JSON object: {error}") from None
    if not isinstance(value, dict):
        raise InvalidError(f"input is not a valid JSON object: it is {_kind(value)}")
    return value


def _refused_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
