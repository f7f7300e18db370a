"""Task of an activity: waits in a queue for a worker's poll, then for the worker's report.

AWS counts TimeoutSeconds and HeartbeatSeconds from ActivityStarted: a task that nobody polls waits until its
execution ends.
"""

from workers.local.branch import Branch
from workers.local.documents import Document
from workers.local.failures import TIMEOUT
from workers.local.run import data
from workers.local.states.tasking import TaskState, failure, limits, result
from workers.local.tasks import Attempt, Failure, Outcome, Success, TimedOut
from workers.local.values.errors import RUNTIME, EvaluationError


class ActivityState(TaskState):
    """A Task state whose Resource is the ARN of an activity."""

    async def attempt(self, branch: Branch) -> Document:
        frame, run = branch.frame, branch.run
        if frame.progress is None:
            self._schedule(branch)
        task = Attempt(
            frame.progress or {},
            run.clock,
            on_start=lambda worker: _started(branch, worker),
            on_end=lambda outcome: _ended(branch, outcome),
        )
        run.attempt(frame, task)
        if not task.started:
            run.host.queue_task(self.resource, task)
        try:
            return result(await task.outcome())
        finally:
            if not task.started:
                run.host.discard_task(self.resource, task)
            run.let_go(frame)

    def _schedule(self, branch: Branch) -> None:
        progress, given = self.prepare(branch)
        if not branch.run.host.knows_activity(self.resource):
            raise EvaluationError(RUNTIME, f"The activity {self.resource} does not exist.")
        progress["input"] = given.text
        details = {"resource": self.resource, **data("input", given), **limits(progress)}
        branch.record("ActivityScheduled", "activityScheduledEventDetails", details)
        branch.frame.progress = progress
        branch.save()


def _started(branch: Branch, worker: str | None) -> None:
    details = {} if worker is None else {"workerName": worker}
    branch.record("ActivityStarted", "activityStartedEventDetails", details)
    branch.save()


def _ended(branch: Branch, outcome: Outcome) -> None:
    match outcome:
        case Success(output):
            details = {"output": output, "outputDetails": {"truncated": False}}
            branch.record("ActivitySucceeded", "activitySucceededEventDetails", details)
        case Failure(error, cause):
            branch.record("ActivityFailed", "activityFailedEventDetails", failure(error, cause))
        case TimedOut():
            branch.record("ActivityTimedOut", "activityTimedOutEventDetails", {"error": TIMEOUT})
    branch.save()
