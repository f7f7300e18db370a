"""What Step Functions says of a workflow's execution, as a change of the workflow."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from workers.executions.history import history_items
from workers.manager.batch.batch import Batch
from workers.manager.batch.observing import batch_story, judged
from workers.manager.jobs import TIMED_OUT, Story, read_events, visits_of
from workers.manager.model import Change, Launch, Status, Workflow, WorkflowDefinition, now
from workers.manager.store.interface import DefinitionStore
from workers.manager.translation.machine import NESTS
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError

ZOMBIE_AFTER = timedelta(minutes=5)
"""A workflow whose execution is not there so long after its last change has failed: nobody will start it."""
_STATUSES = {
    "RUNNING": Status.RUNNING,
    "PENDING_REDRIVE": Status.RUNNING,
    "SUCCEEDED": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
    "TIMED_OUT": Status.FAILED,
    "ABORTED": Status.CANCELLED,
}


class Observer:
    """Looks at executions."""

    def __init__(self, account: Account, definitions: DefinitionStore, batch: Batch | None = None) -> None:
        self._account = account
        self._definitions = definitions
        self._batch = batch or Batch()

    async def observe(self, workflow: Workflow, *, jobs: bool = False) -> Change | None:
        """What has changed; None for nothing. `jobs`: reads the history as well.

        Raises `ServiceError`.
        """
        if workflow.execution_arn is None:
            return None
        try:
            found = await self._account.call("DescribeExecution", executionArn=workflow.execution_arn)
        except ServiceError as error:
            if not is_missing(error):
                raise
            return _zombie(workflow)
        change = change_of(workflow, found)
        news_status = change.status if change else None
        failed = news_status is Status.FAILED or (
            news_status is None and workflow.status is Status.FAILED and workflow.last_job is None
        )
        of_batch = workflow.workflow_definition.manager == "batch"
        begins = of_batch and workflow.status is Status.QUEUED and found["status"] == "RUNNING"
        if not (jobs or failed or begins):
            return change
        try:
            story = await self.story(workflow, news_status)
        except ServiceError as error:
            if not is_missing(error):
                raise
            return change  # histories go earlier than executions are forgotten
        change = judged(workflow, change, story) if of_batch else change
        news: dict[str, Any] = {"jobs": story.jobs} if jobs else {}
        if failed:
            news["last_job"] = story.last_job
        given = (change.given() if change else {}) | news
        return Change(**given) if given else None

    async def story(self, workflow: Workflow, status: Status | None = None) -> Story:
        """The history of a workflow, as jobs; `status` is what it has become. Raises `ServiceError`."""
        if workflow.execution_arn is None:
            return read_events([])
        items = [item async for item in history_items(self._account, workflow.execution_arn)]
        known = workflow.workflow_definition
        if known.state_machine is None:
            known = await self._definitions.definition(known.name, known.version)
        if known.manager == "batch":
            now_ = status or workflow.status
            place = self._account.connection
            return await batch_story(workflow, now_, visits_of(items), known, batch=self._batch, connection=place)
        return read_events(items, resources=resources_of(known), namespace=workflow.namespace)


def change_of(workflow: Workflow, found: Mapping[str, Any]) -> Change | None:
    """What an answer of DescribeExecution, or an item of ListExecutions, changes; None for nothing.

    An item of a list knows neither output nor reason.
    """
    status, count = _STATUSES[found["status"]], found.get("redriveCount", 0)
    if (status, count) == (workflow.status, workflow.redrive_count):
        return _completed(workflow, found)
    if (count, status.rank) < (workflow.redrive_count, workflow.status.rank):
        return None  # the answer is older than what is known
    fields: dict[str, Any] = {"status": status, "redrive_count": count, "launch": Launch.STARTED}
    waits = status is Status.RUNNING and workflow.status is Status.QUEUED and workflow.cancel_reason is None
    if waits and workflow.workflow_definition.manager == "batch":  # it runs when one of its jobs does
        del fields["status"]
        if workflow.execution_arn is not None:
            return None
    if workflow.execution_arn is None:  # whoever started it has not written that down
        fields["execution_arn"] = found["executionArn"]
    if status.terminal:
        fields |= {"stopped_at": found.get("stopDate"), "output": found.get("output")}
    elif workflow.status.terminal:  # it was redriven
        fields |= dict.fromkeys(("stopped_at", "output", "status_reason", "last_job", "cancel_reason"))
        fields["resolved_by_user"] = False
    if status in {Status.SUCCEEDED, Status.CANCELLED}:
        fields["resolved_by_user"] = True
    if reason := _reason(workflow, found):
        fields["status_reason"] = reason
    return Change(**fields)


def explained(workflow: Workflow) -> bool:
    """Whether it is known what has come of a workflow that has ended, as far as Step Functions tells."""
    known = {
        Status.SUCCEEDED: workflow.output,
        Status.FAILED: workflow.last_job,
        Status.CANCELLED: workflow.status_reason,
    }
    return known[workflow.status] is not None


def _completed(workflow: Workflow, found: Mapping[str, Any]) -> Change | None:
    """What an item of a list did not tell of a workflow that has ended."""
    fields: dict[str, Any] = {}
    if workflow.status is Status.SUCCEEDED and workflow.output is None and "output" in found:
        fields["output"] = found["output"]
    if workflow.status is Status.CANCELLED and not workflow.resolved_by_user:
        fields["resolved_by_user"] = True
    if workflow.status_reason is None and (reason := _reason(workflow, found)):
        fields["status_reason"] = reason
    return Change(**fields) if fields else None


def resources_of(definition: WorkflowDefinition) -> dict[str, str]:
    """What the states of a definition call, by their names, as it was written; nested states as well."""
    found: dict[str, str] = {}
    waiting: list[Any] = [definition.state_machine]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            for name, state in (one.get("states") or one.get("States") or {}).items():
                resource = state.get("resource", state.get("Resource")) if isinstance(state, Mapping) else None
                if isinstance(resource, str):
                    found.setdefault(name, resource)
                waiting += [state.get(key) for key in NESTS] if isinstance(state, Mapping) else []
    return found


def _zombie(workflow: Workflow) -> Change | None:
    if workflow.status.terminal or now() - workflow.last_updated < ZOMBIE_AFTER:
        return None
    reason = f"the execution {workflow.execution_arn} does not exist"
    return Change(status=Status.FAILED, status_reason=reason, stopped_at=now(), launch=Launch.STARTED)


def _reason(workflow: Workflow, found: Mapping[str, Any]) -> str | None:
    """Why it ended, if it did not succeed; what a user said when it was cancelled stays."""
    if found["status"] == "TIMED_OUT":
        return TIMED_OUT
    if found["status"] == "ABORTED":
        return workflow.cancel_reason or workflow.status_reason or found.get("cause")
    if found["status"] == "FAILED":
        return "\n".join(line for line in (found.get("cause"), found.get("error")) if line) or None
    return None
