"""The jobs of a workflow, read from the history of its execution: one for each visit of a state that does work.

Statuses, reasons and fields as the first clients know them. A retry is the same job: what failed before are its
attempts. Inputs and outputs stay the text that Step Functions gives.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.histories.event import Event, from_item
from workers.histories.visits import Outcome, Visit, Visits, outward
from workers.manager.model import Attempt, Job, JobResource, JobStatus, ResourceType
from workers.manager.translation.additions import is_added

TIMED_OUT = "Workflow timed out"
_TYPES = frozenset({"Task", "Choice", "Succeed", "Map", "Parallel"})
_INSTANT = frozenset({"Choice", "Succeed"})
_REASON_LINES = 3
_BEGINS = frozenset({"MapStateStarted", "ParallelStateStarted"})
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]+:[^:]+:activity:.+")


@dataclass(frozen=True, slots=True)
class Story:
    """What a history tells."""

    jobs: tuple[Job, ...]
    last_job: Job | None
    """Of an execution that failed: the innermost job that it failed in, else the last one."""
    status_reason: str | None
    """Why it ended, if it did not succeed."""


def read_events(
    items: Iterable[Mapping[str, Any]], *, resources: Mapping[str, str] | None = None, namespace: str = ""
) -> Story:
    """The jobs in a history: `items` as GetExecutionHistory gives them, oldest first.

    `resources`: what each state of the definition calls, in the definition's own words.
    """
    visits = Visits()
    for item in items:
        visits.add(from_item(item, decode=False))
    reader = _Reader(visits, resources or {}, namespace)
    jobs = {visit.id: reader.job(visit) for visit in visits.all if visit.type in _TYPES and not is_added(visit.state)}
    return Story(tuple(jobs.values()), reader.last_job(jobs), _end_reason(visits.end))


def visits_of(items: Iterable[Mapping[str, Any]]) -> list[Visit]:
    """The visits of all states in a history, in the order in which they began, also of those that a translation added.

    Details are text.
    """
    visits = Visits()
    for item in items:
        visits.add(from_item(item, decode=False))
    return visits.all


class _Reader:
    def __init__(self, visits: Visits, resources: Mapping[str, str], namespace: str) -> None:
        self._visits = visits
        self._resources = resources
        self._namespace = namespace

    def job(self, visit: Visit) -> Job:
        """The job of a visit."""
        draft = _Draft(visit)
        for event in visit.events:
            draft.take(event)
        draft.end(self._visits)
        resource = self._resource(visit) if visit.type == "Task" else None
        return Job(id=str(visit.id), state=visit.state, state_resource=resource, **draft.fields)

    def last_job(self, jobs: dict[int, Job]) -> Job | None:
        end = self._visits.end
        if end is None or end.type not in {"ExecutionFailed", "ExecutionTimedOut"}:
            return None
        failed = [visit for visit in self._culprits() if visit.id in jobs]
        if failed:
            return jobs[max(failed, key=lambda visit: (visit.depth, visit.id)).id]
        last = next(reversed(jobs.values()), None)
        if last and last.status_reason is None:
            return last.model_copy(update={"status_reason": _end_reason(end)})
        return last

    def _culprits(self) -> Iterator[Visit]:
        """The failed visits that the end came from: that of its cause, and those inside and around."""
        for visit in outward(self._visits.cause):
            if visit.outcome is Outcome.FAILED:
                yield visit
        waiting = [self._visits.cause] if self._visits.cause else []
        while waiting:
            for visit in waiting.pop().inside:
                if visit.outcome is Outcome.FAILED:
                    yield visit
                waiting.append(visit)

    def _resource(self, visit: Visit) -> JobResource:
        name = self._resources.get(visit.state, "")
        return JobResource(name=name, namespace=self._namespace, type=_type_of(name))


class _Draft:
    """A job as it becomes, event by event."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._attempts: list[Attempt] = []
        self._failed = False
        self.fields: dict[str, Any] = {"status": JobStatus.CREATED}

    def take(self, event: Event) -> None:
        kind, fields = event.type, self.fields
        if kind.endswith("StateEntered"):
            fields |= {"created_at": event.at, "input": event.details.get("input")}
        elif kind.endswith("StateExited"):
            self._exit(event)
        elif kind.endswith("Scheduled") or kind in _BEGINS:
            self._begin(event)
        elif kind.endswith(("Started", "Submitted")) and not kind.startswith("MapIteration"):
            worker = event.details.get("workerName", fields.get("container"))
            fields |= {"status": JobStatus.RUNNING, "started_at": fields.get("started_at") or event.at}
            fields["container"] = worker
        elif kind.endswith("TimedOut"):
            lines = ["Job timed out", event.details.get("error", ""), _tail(event.details.get("cause", ""))]
            self._fail(event, _joined(*lines))
        elif kind.endswith("Failed") and not kind.startswith("MapIteration"):
            self._fail(event, _joined(_tail(event.details.get("cause", "")), event.details.get("error", "")))
        elif kind.endswith("Succeeded") and not kind.startswith("MapIteration"):
            fields |= {"status": JobStatus.SUCCEEDED, "stopped_at": event.at}
            self._failed = False

    def _begin(self, event: Event) -> None:
        """A try: what failed before is an attempt."""
        fields = self.fields
        if self._failed:
            self._attempts.append(
                Attempt(
                    created_at=fields.get("created_at"),
                    started_at=fields.get("started_at"),
                    stopped_at=fields.get("stopped_at"),
                    taskARN=fields.get("container"),
                    reason=fields.get("status_reason"),
                )
            )
            fields |= {"created_at": event.at, "attempts": tuple(self._attempts)}
            for name in ("started_at", "stopped_at", "container", "status_reason"):
                fields.pop(name, None)
            self._failed = False
        running = event.type in _BEGINS
        fields["status"] = JobStatus.RUNNING if running else JobStatus.QUEUED
        if running:
            fields["started_at"] = event.at

    def _fail(self, event: Event, reason: str) -> None:
        self._failed = True
        self.fields |= {"status": JobStatus.FAILED, "stopped_at": event.at}
        self.fields["status_reason"] = reason or self.fields.get("status_reason")

    def _exit(self, event: Event) -> None:
        fields = self.fields
        fields |= {"stopped_at": event.at, "output": event.details.get("output")}
        if not self._failed:
            fields["status"] = JobStatus.SUCCEEDED
        if self._visit.type in _INSTANT:
            fields["started_at"] = fields.get("created_at")

    def end(self, visits: Visits) -> None:
        """What the end of the execution, or of something around it, did to a job that had not ended."""
        visit, fields, end = self._visit, self.fields, visits.end
        if self._failed and not fields.get("status_reason"):
            fields["status_reason"] = self._inner_reason(end)
        if JobStatus(fields["status"]).done or visit.left is None:
            return
        fields["stopped_at"] = visit.left
        if visit.outcome is Outcome.ABORTED:
            by_user = end is not None and end.type == "ExecutionAborted" and end.at == visit.left
            timed_out = end is not None and end.type == "ExecutionTimedOut" and end.at == visit.left
            fields["status"] = JobStatus.ABORTED_BY_USER if by_user else JobStatus.ABORTED_DEPS_FAILED
            if timed_out:
                fields["status"] = JobStatus.FAILED
            fields["status_reason"] = _end_reason(end) if by_user or timed_out else "Another job failed"
        else:
            fields |= {"status": JobStatus.FAILED, "status_reason": self._inner_reason(end)}

    def _inner_reason(self, end: Event | None) -> str | None:
        """Why a job failed that says nothing itself: what failed inside of it knows, or the end."""
        if end and end.type == "ExecutionFailed" and self._visit.outcome is Outcome.FAILED:
            return _end_reason(end)
        return self._visit.error or next((visit.error for visit in self._visit.inside if visit.error), None)


def _end_reason(end: Event | None) -> str | None:
    """What the end of an execution says."""
    if end is None or end.type == "ExecutionSucceeded":
        return None
    error, cause = end.details.get("error", ""), end.details.get("cause", "")
    if end.type == "ExecutionTimedOut":
        return _joined(TIMED_OUT, error, cause)
    if end.type == "ExecutionAborted":
        return _joined(cause) or None
    if error == "States.Runtime" and "Internal Error" in cause:
        return "State resource does not exist"
    return _joined(cause, error) or None


def _type_of(resource: str) -> ResourceType:
    if resource.startswith("lambda:") or ":lambda:" in resource:
        return ResourceType.LAMBDA_FUNCTION
    if resource.startswith("batch:") or ":batch:" in resource:
        return ResourceType.JOB_DEFINITION
    if resource.startswith("glue:") or (resource.startswith("arn:") and not _ACTIVITY.fullmatch(resource)):
        return ResourceType.TASK
    return ResourceType.ACTIVITY


def _tail(cause: str) -> str:
    """The last lines of a cause: what a command wrote before it failed."""
    return "\n".join(cause.strip().split("\n")[-_REASON_LINES:])


def _joined(*lines: str) -> str:
    return "\n".join(line for line in lines if line).strip()
