"""Task of a service: a call, and where the Resource says so the wait for a job or for a token to come back."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from workers.local.branch import Branch
from workers.local.calls import Call, Service
from workers.local.documents import Document
from workers.local.errors import ApiError
from workers.local.failures import TIMEOUT
from workers.local.frames import Progress
from workers.local.states.tasking import TaskState, conditions, failure, result
from workers.local.tasks import Attempt, Failure, Outcome, Success, TimedOut
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

log = structlog.get_logger(__name__)

LAMBDA = "lambda-arn"
OUTPUT_DETAILS = {"truncated": False}
_ABORTING: set[asyncio.Task[None]] = set()


class ServiceState(TaskState):
    """A Task state that calls a service."""

    async def attempt(self, branch: Branch) -> Document:
        frame, run = branch.frame, branch.run
        execution = run.execution
        service = run.host.services.service(
            self.resource, state=self.name, machine=execution.machine_name, test_case=execution.origin.test_case
        )
        if frame.progress is None:
            self._schedule(branch, service)
        progress = frame.progress or {}
        work = _Work(branch, service, self._call(branch, progress))
        attempt = Attempt(
            progress, run.clock, on_start=work.started, on_end=work.ended, holds=service.ends_with != "job"
        )
        run.attempt(frame, attempt)
        if not attempt.started:
            attempt.start()
        return result(await work.outcome(attempt))

    def _schedule(self, branch: Branch, service: Service) -> None:
        progress, given = self.prepare(branch)
        service.check(given.value)
        progress["parameters"] = given.value
        if service.resource_type == LAMBDA:
            details = {"resource": service.resource, "input": given.text, "inputDetails": OUTPUT_DETAILS}
            branch.record(
                "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails", details | _conditions(progress)
            )
        else:
            region = branch.run.host.place.region
            details = {**_called(service), "region": region, "parameters": given.text}
            branch.record("TaskScheduled", "taskScheduledEventDetails", details | _conditions(progress))
        branch.frame.progress = progress
        branch.save()

    def _call(self, branch: Branch, progress: dict[str, Any]) -> Call:
        execution = branch.run.execution
        return Call(
            execution=execution.arn,
            machine=execution.machine_name,
            state=self.name,
            attempt=sum(branch.frame.counts),
            parameters=progress["parameters"],
            role=progress.get("role", execution.revision.role),
            token=progress["token"],
        )


class _Work:
    """The call of one attempt, and what the history says of it."""

    def __init__(self, branch: Branch, service: Service, call: Call) -> None:
        self._branch = branch
        self._service = service
        self._call = call
        self._under_way = False
        self._early: Outcome | None = None
        """What came back before the service had answered."""
        self._unsubmitted = False
        """The call itself failed, so that there is no job or token to wait for."""

    async def outcome(self, attempt: Attempt) -> Outcome:
        """Calls the service and waits for what ends the task."""
        branch, over = self._branch, False
        calling = asyncio.create_task(self._call_service(attempt))
        try:
            outcome = await attempt.outcome()
            if self._early and not isinstance(outcome, TimedOut):
                await calling
            over = not isinstance(outcome, TimedOut)
            return outcome
        finally:
            calling.cancel()
            branch.run.let_go(branch.frame)
            if not over and not branch.run.halted:
                self._abort()

    def started(self, _: str | None) -> None:
        if self._service.resource_type == LAMBDA:
            self._branch.record("LambdaFunctionStarted")
        else:
            self._branch.record("TaskStarted", "taskStartedEventDetails", _called(self._service))
        self._branch.save()

    def ended(self, outcome: Outcome) -> None:
        """Writes what ended the task."""
        answered = self._service.ends_with != "token" or "answer" in self._progress
        if not answered and not isinstance(outcome, TimedOut) and self._under_way:
            self._early = outcome
            return
        match outcome:
            case Success(output):
                self._record("Succeeded", {"output": output, "outputDetails": OUTPUT_DETAILS})
            case Failure(error, cause):
                self._record("SubmitFailed" if self._unsubmitted else "Failed", failure(error, cause))
            case TimedOut():
                self._record("TimedOut", {"error": TIMEOUT})
        self._branch.save()

    @property
    def _progress(self) -> dict[str, Any]:
        return self._branch.frame.progress or {}

    async def _call_service(self, attempt: Attempt) -> None:
        clock = self._branch.run.clock
        try:
            if "answer" not in self._progress:
                self._under_way = True
                clock.hold()
                try:
                    answer = await self._service.submit(self._call)
                finally:
                    clock.release()
                    self._under_way = False
                if self._service.ends_with == "answer":
                    self._report(attempt, self._success(answer))
                    return
                self._submitted(answer)
            if self._service.ends_with == "job":
                done = await self._service.finish(self._call, self._progress["answer"])
                self._report(attempt, self._success(done))
        except StateError as error:
            self._unsubmitted = self._service.ends_with != "answer" and "answer" not in self._progress
            self._report(attempt, Failure(error.error, error.cause))
        except Exception as error:  # a fault of the engine's must not look like a task that runs for ever
            log.exception("A service task failed", resource=self._service.resource)
            self._report(attempt, Failure("States.TaskFailed", f"The embedded Step Functions failed: {error!r}"))

    def _success(self, value: Any) -> Outcome:
        """A result, unless it is too large."""
        service = self._service
        what = service.resource if service.resource_type == LAMBDA else service.resource_type
        try:
            return Success(Document(value).checked(what).text)
        except StateError as error:
            return Failure(error.error, error.cause)

    def _report(self, attempt: Attempt, outcome: Outcome) -> None:
        """Ends the task, unless the token came back or the time was up before."""
        if self._early:
            self._unsubmitted = False
            self.ended(self._early)
        else:
            with suppress(ApiError):
                attempt.report(outcome)

    def _submitted(self, answer: Any) -> None:
        self._progress["answer"] = answer
        details = {**_called(self._service), "output": compact(answer), "outputDetails": OUTPUT_DETAILS}
        self._branch.record("TaskSubmitted", "taskSubmittedEventDetails", details)
        self._branch.save()
        if self._early:
            self.ended(self._early)

    def _record(self, kind: str, details: dict[str, Any]) -> None:
        if self._service.resource_type == LAMBDA:
            self._branch.record(f"LambdaFunction{kind}", f"lambdaFunction{kind}EventDetails", details)
        else:
            self._branch.record(f"Task{kind}", f"task{kind}EventDetails", _called(self._service) | details)

    def _abort(self) -> None:
        if self._service.ends_with == "job" and "answer" in self._progress:
            task = asyncio.create_task(self._service.abort(self._call, self._progress["answer"]))
            _ABORTING.add(task)
            task.add_done_callback(_ABORTING.discard)


def _conditions(progress: Progress) -> dict[str, Any]:
    """How events tell of a task's deadlines, and of the role that it has instead of its machine's."""
    return conditions(progress) | ({"taskCredentials": {"roleArn": progress["role"]}} if "role" in progress else {})


def _called(service: Service) -> dict[str, str]:
    return {"resourceType": service.resource_type, "resource": service.resource}
