"""Resuming: a new workflow that goes on at a state of one that has ended, with the input that the state had there."""

from collections.abc import AsyncIterator
from uuid import uuid4

from workers.executions.history import history_items
from workers.histories.visits import Visit
from workers.manager.batch.starting import graph_of
from workers.manager.errors import ConflictError, InvalidError, NotFoundError, RevisionError
from workers.manager.jobs import visits_of
from workers.manager.model import Workflow, WorkflowDefinition
from workers.manager.naming import named_request
from workers.manager.standing import input_inside
from workers.manager.store.interface import Guard
from workers.manager.translation.inside import way_to
from workers.manager.translation.machine import asl_of, states_of
from workers.manager.workflows import WorkflowService
from workers.payloads.document import encode
from workers.stepfunctions.account import is_missing
from workers.stepfunctions.protocol import ServiceError

_TRIES = 5


class ResumeService(WorkflowService):
    """Workflows, with those that go on where others ended."""

    async def resume_workflow(self, workflow_id: str, start_at: str, *, idempotency_key: str | None = None) -> Workflow:
        """Starts a workflow at the state `start_at` of one that has ended.

        The input is that of the last time the state was entered, in it or in what it resumed itself. The state may be
        inside of a Parallel or Map state: the other branches or items then go on where they stood, and those that were
        done keep their outputs. Raises `ConflictError` while it, or one that resumed it, has not ended; `InvalidError`
        for a state that is not there or was never entered.
        """
        key = named_request(idempotency_key, "resume", workflow_id, start_at) if idempotency_key else None
        for _ in range(_TRIES):
            if key and (before := await self.begun_before(await self.store.workflow(workflow_id), key)):
                return before  # however things stand by now
            known = await self.refresh(workflow_id)
            if not known.status.terminal:
                raise ConflictError(f"Workflow {workflow_id} active: {known.status}")
            await self._check_descendants(known)
            definition = await self.store.definition(known.workflow_definition.name, known.workflow_definition.version)
            resumed = _resumed(known, definition, start_at)
            text = await self._input_at(known, definition, start_at, resumed.id)
            try:
                return await self.begin(
                    resumed.model_copy(update={"input": text}),
                    idempotency=key,
                    guard=Guard(known.id, known.revision),
                )
            except RevisionError:
                continue
        raise ConflictError(f"Workflow {workflow_id} is changed by many at the same time: try again")

    async def _check_descendants(self, workflow: Workflow) -> None:
        waiting = list(workflow.retries)
        while waiting:
            try:
                child = await self.store.workflow(waiting.pop())
            except NotFoundError:
                continue
            if not child.status.terminal:
                child = await self.workflow(child.id)
            if not child.status.terminal:
                raise ConflictError(
                    f"Cannot resume workflow {workflow.id} because it has active descendants: {child.id}"
                )
            waiting += child.retries

    async def _input_at(self, workflow: Workflow, definition: WorkflowDefinition, state: str, execution: str) -> str:
        """What the execution `execution` is given, to begin at a state as it was when it was last entered."""
        if definition.manager == "batch":
            return await self._arguments_at(workflow, definition, state)
        machine = asl_of(definition)
        if (way := way_to(machine, state)) is None:
            names = ", ".join(states_of(definition))
            raise InvalidError(f"StartAt: Invalid StartAt state {state}: the definition has {names}")
        async for one in self._line(workflow):
            if not way:
                text = await self._entered(one, state)
            else:
                found = input_inside(await self._visits(one) or (), machine, way, state, execution)
                text = None if found is None else encode(found).decode()
            if text is not None:
                return text
        raise InvalidError(f"StartAt: No job found for StartAt {state}: workflow {workflow.id} never came there")

    async def _arguments_at(self, workflow: Workflow, definition: WorkflowDefinition, state: str) -> str:
        """The arguments of a job of AWS Batch: where its results are not known, those of the whole workflow."""
        graph = graph_of(definition)
        _ = graph.begun_at(state)
        before = graph.states[state].after
        async for one in self._line(workflow):
            kept = one.jobs is not None and all(job.status.done for job in one.jobs)
            known = one if kept else await self.refresh(one.id, jobs=True)
            jobs = {job.state: job for job in known.jobs or ()}
            job = jobs.get(state)
            if job is None or job.id == state:  # it was not submitted
                continue
            told = all(name in jobs and jobs[name].output is not None for name in before)
            return job.input if told and job.input is not None else one.input
        raise InvalidError(f"StartAt: No job found for StartAt {state}: workflow {workflow.id} never came there")

    async def _line(self, workflow: Workflow) -> AsyncIterator[Workflow]:
        """A workflow, what it resumed, what that resumed, and so on."""
        yield workflow
        while workflow.retry_for is not None:
            try:
                workflow = await self.store.workflow(workflow.retry_for)
            except NotFoundError:
                return
            yield workflow

    async def _entered(self, workflow: Workflow, state: str) -> str | None:
        """The input of a state at the top, from the history; from the jobs that are kept, where that is gone."""
        if workflow.last_job and workflow.last_job.state == state and workflow.last_job.input is not None:
            return workflow.last_job.input
        if (visits := await self._visits(workflow)) is not None:
            inputs = [visit.events[0].details.get("input") for visit in visits if visit.state == state]
            return inputs[-1] if inputs else None
        return next((job.input for job in reversed(workflow.jobs or ()) if job.state == state), None)

    async def _visits(self, workflow: Workflow) -> list[Visit] | None:
        """The visits of its states; None where its history is gone."""
        if workflow.execution_arn is None:
            return None
        try:
            return visits_of([item async for item in history_items(self.account, workflow.execution_arn)])
        except ServiceError as error:
            if not is_missing(error):
                raise
            return None


def _resumed(workflow: Workflow, definition: WorkflowDefinition, start_at: str) -> Workflow:
    machine = definition.state_machine or {}
    own = machine.get("StartAt", machine.get("start_at"))
    return Workflow(
        id=str(uuid4()),
        workflow_definition=definition,
        namespace=workflow.namespace,
        queue=workflow.queue,
        tags=workflow.tags,
        retry_for=workflow.id,
        start_at=None if start_at == own else start_at,
    )
