"""Task of an activity: waits in a queue for a worker's poll, then for the worker's report.

AWS counts TimeoutSeconds and HeartbeatSeconds from ActivityStarted: a task that nobody polls waits until its
execution ends.
"""

from workers.local.branch import Branch
from workers.local.calls import Call, Service
from workers.local.documents import Document
from workers.local.failures import TIMEOUT
from workers.local.run import data
from workers.local.states.tasking import TaskState, conditions, failure, result
from workers.local.tasks import Attempt, Failure, Outcome, Success, TimedOut
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.local.values.scope import compact


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
        if mock := self._mock(branch):
            await self._play(branch, mock, task)
        elif not task.started:
            run.host.queue_task(self.resource, task)
        try:
            return result(await task.outcome())
        finally:
            if not task.started:
                run.host.discard_task(self.resource, task)
            run.let_go(frame)

    def _mock(self, branch: Branch) -> Service | None:
        origin = branch.run.execution.origin
        if origin.test_case is None:
            return None
        return branch.run.host.services.mock(state=self.name, machine=origin.machine_name, test_case=origin.test_case)

    async def _play(self, branch: Branch, mock: Service, task: Attempt) -> None:
        """Lets a mock do what a worker would."""
        execution, progress = branch.run.execution, branch.frame.progress or {}
        if progress.get("outcome") is not None:
            return
        if not task.started:
            task.start("mock")
        names, role = (execution.arn, execution.machine_name, self.name), execution.revision.role
        try:
            answer = await mock.submit(
                Call(*names, sum(branch.frame.counts), progress["input"], role, progress["token"])
            )
        except StateError as error:
            task.report(Failure(error.error, error.cause))
        else:
            task.report(Success(compact(answer)))

    def _schedule(self, branch: Branch) -> None:
        progress, given = self.prepare(branch)
        if not branch.run.host.knows_activity(self.resource):
            raise EvaluationError(RUNTIME, f"The activity {self.resource} does not exist.")
        progress["input"] = given.text
        details = {"resource": self.resource, **data("input", given), **conditions(progress)}
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
