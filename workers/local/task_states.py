"""What moto's interpreter lacks: tasks of activities, and a fresh token for each attempt at a task that waits for it.

AWS counts TimeoutSeconds from ActivityStarted: a task that nobody polls waits until its execution ends.
"""

import json
from typing import Any, NoReturn

from workers.local import seams
from workers.local.interpreter import Environment
from workers.local.tasks import ActivityTask, Failure, Success, TimedOut

_NO_TIMEOUT = seams.TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS


class _MissedDeadlineError(TimeoutError):
    def __init__(self, missed: str) -> None:
        super().__init__(missed)
        self.missed = missed


class ActivityState(seams.StateTaskActivity):
    """A Task state whose Resource is the ARN of an activity."""

    def from_state_props(self, state_props: Any) -> None:
        super().from_state_props(state_props)
        self.task_timeout = self.timeout
        # The interpreter would count from the state's entry: it gets no limit, the wait below keeps it.
        self.timeout = seams.TimeoutSeconds(_NO_TIMEOUT, is_default=True)

    def _evaluate_with_timeout(self, env: Any) -> None:
        with seams.without_attempt_thread():
            super()._evaluate_with_timeout(env)

    def _eval_execution(self, env: Any) -> None:
        task, limits = self._schedule(env)
        if not task.wait_for_start():
            env.run.host.discard_task(self.resource.resource_arn, task)
            _record(env, "TaskStateAborted", None)
            env.stack.append(None)  # the branch or the execution has ended: nobody will look at it
            return
        worker = {} if task.worker_name is None else {"workerName": task.worker_name}
        _record(env, "ActivityStarted", {"activityStartedEventDetails": worker})
        outcome = task.wait_for_outcome(timeout=limits["timeout"], heartbeat=limits["heartbeat"])
        match outcome:
            case Success(output):
                env.stack.append(json.loads(output))
                details = {"output": output, "outputDetails": {"truncated": False}}
                _record(env, "ActivitySucceeded", {"activitySucceededEventDetails": details})
            case Failure(error, cause):
                raise seams.callback.CallbackOutcomeFailureError(
                    seams.callback.CallbackOutcomeFailure(task.token, error, cause)
                )
            case TimedOut(missed):
                raise _MissedDeadlineError(missed)
            case None:
                _record(env, "TaskStateAborted", None)
                env.stack.append(None)  # the branch or the execution has ended: nobody will look at it

    def _schedule(self, env: Environment) -> tuple[ActivityTask, dict[str, float | None]]:
        arn = self.resource.resource_arn
        task_input = json.dumps(self._eval_parameters(env), separators=(",", ":"), ensure_ascii=False, default=str)
        limits = {"timeout": _seconds(self.task_timeout, env), "heartbeat": _seconds(self.heartbeat, env)}
        run = env.run
        if not run.host.knows_activity(arn):
            _fail_for_missing_activity(env, arn)
        task = ActivityTask(env.states.context_object.update_task_token(), task_input)
        details: dict[str, Any] = {"resource": arn, "input": task_input, "inputDetails": {"truncated": False}}
        details |= {f"{name}InSeconds": seconds for name, seconds in limits.items() if seconds is not None}
        _record(env, "ActivityScheduled", {"activityScheduledEventDetails": details})
        run.issue(task.token, task)
        env.task = task
        if not env.is_running():  # stopped just now: whoever stopped it did not see this token
            task.close()
        run.host.queue_task(arn, task)
        return task, limits

    def _from_error(self, env: Any, ex: Exception) -> Any:
        if isinstance(ex, _MissedDeadlineError) and ex.missed == "heartbeat":
            details = {"activityTimedOutEventDetails": {"error": "States.Timeout"}}
            return _failure(env, seams.HeartbeatTimeout(), "ActivityTimedOut", details)
        if isinstance(ex, seams.callback.CallbackOutcomeFailureError):
            return _reported_failure(env, ex.callback_outcome_failure)
        return super()._from_error(env, ex)


def _failure(env: Environment, error_name: Any, kind: str, details: Any) -> Any:
    return seams.FailureEvent(env, error_name, seams.HistoryEventType(kind), details)


def _reported_failure(env: Environment, failure: Any) -> Any:
    parts = (("error", failure.error), ("cause", failure.cause))
    details = {"activityFailedEventDetails": {name: value for name, value in parts if value is not None}}
    return _failure(env, seams.error_named(failure.error), "ActivityFailed", details)


def _fail_for_missing_activity(env: Environment, arn: str) -> NoReturn:
    error = seams.error_named("States.Runtime")
    details = {"error": error.error_name, "cause": f"The activity {arn} does not exist."}
    raise seams.FailureEventException(_failure(env, error, "ExecutionFailed", {"executionFailedEventDetails": details}))


def _seconds(limit: Any, env: Environment) -> float | None:
    """What TimeoutSeconds or HeartbeatSeconds say, in this execution; None where they say nothing."""
    if limit is None or (isinstance(limit, seams.TimeoutSeconds) and limit.is_default_value()):
        return None
    limit.eval(env)
    seconds: float = env.stack.pop()
    return seconds


def _record(env: Environment, kind: str, details: Any) -> None:
    env.event_manager.add_event(
        context=env.event_history_context, event_type=seams.HistoryEventType(kind), event_details=details
    )


def _begin_callback_attempt(env: Environment) -> None:
    """The interpreter makes one token for all attempts, so that the second finds the report of the first."""
    token = env.states.context_object.update_task_token()
    env.callback_pool_manager.add(token)
    env.task = env.run.host.tokens.get(token)


seams.install_activity_state(ActivityState)
seams.install_callback_attempts(_begin_callback_attempt)
