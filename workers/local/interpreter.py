"""Runs an execution: moto's interpreter in a thread of its own, with the engine's history, tokens and clock."""

import asyncio
import copy
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import structlog

from workers.arns import Place
from workers.local import seams
from workers.local.errors import task_timed_out
from workers.local.executions import Execution
from workers.local.tasks import ActivityTask, Report, Success, Token, Tokens

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What a run asks of the engine. Called from the run's threads."""

    place: Place
    tokens: Tokens

    def knows_activity(self, arn: str) -> bool: ...

    def queue_task(self, activity_arn: str, task: ActivityTask) -> None: ...

    def discard_task(self, activity_arn: str, task: ActivityTask) -> None: ...

    def ended(self, execution: Execution) -> None: ...


class Run:
    """One execution on its way. `start` once, on the event loop; `stop` from anywhere."""

    def __init__(self, execution: Execution, host: Host) -> None:
        self.execution = execution
        self.host = host
        self._program = execution.revision.program
        self._environment = _environment(self)
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._evaluate, name=f"execution {execution.name}", daemon=True)
        execution.on_end = self._end

    def start(self) -> None:
        """Records the start and lets the interpreter run."""
        execution = self.execution
        details = {"input": execution.input, "inputDetails": {"truncated": False}, "roleArn": execution.revision.role}
        execution.record("ExecutionStarted", {"executionStartedEventDetails": details}, previous=0)
        if limit := self._program.timeout_seconds:
            self._timer = asyncio.get_running_loop().call_later(limit.timeout_seconds, self._time_out)
        self._thread.start()

    def stop(self, error: str | None, cause: str | None) -> None:
        """Aborts the execution, if it still runs."""
        details = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
        self.execution.record("ExecutionAborted", {"executionAbortedEventDetails": details}, previous=0)

    def issue(self, token: str, task: Token) -> None:
        """Makes `task` known by its token for as long as the execution is remembered."""
        self.host.tokens.add(token, task, execution=self.execution.arn)

    def _evaluate(self) -> None:
        cause = "The interpreter ended without a result."
        try:
            self._program.eval(self._environment)
        except Exception as error:  # the execution must not seem to run for ever
            log.exception("The interpreter failed", execution=self.execution.arn)
            cause = f"The interpreter failed: {error!r}"
        details = {"error": "States.Runtime", "cause": cause}
        self.execution.record("ExecutionFailed", {"executionFailedEventDetails": details}, previous=0)

    def _time_out(self) -> None:
        self.execution.record("ExecutionTimedOut", {"executionTimedOutEventDetails": {}}, previous=0)

    def _end(self) -> None:
        """Called once, by whoever records the last event."""
        self._environment.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
        self.host.tokens.close(self.execution.arn)
        seams.forget_threads()
        self.host.ended(self.execution)

    def cancel_timer(self) -> None:
        """Lets go of the timer of an execution that has ended. On the event loop."""
        if self._timer:
            self._timer.cancel()


class CallbackTask:
    """A task that waits for its token to come back: `.waitForTaskToken`."""

    def __init__(self, endpoint: Any) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._closed = False

    def report(self, report: Report) -> None:
        with self._lock:
            self._check_open()
            self._closed = True
        token = self._endpoint.callback_id
        if isinstance(report, Success):
            self._endpoint.notify(seams.callback.CallbackOutcomeSuccess(token, report.output))
        else:
            self._endpoint.notify(seams.callback.CallbackOutcomeFailure(token, report.error, report.cause))

    def beat(self) -> None:
        with self._lock:
            self._check_open()
        self._endpoint.notify_heartbeat()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._endpoint.interrupt_all()

    def _check_open(self) -> None:
        if self._closed:
            raise task_timed_out()


class _Recorder(seams.EventManager):
    """Writes what the interpreter reports into the execution's history."""

    def __init__(self, execution: Execution) -> None:
        super().__init__()
        self._execution = execution

    def add_event(
        self,
        context: Any,
        event_type: Any,
        event_details: Mapping[str, Any] | None = None,
        timestamp: object = None,  # noqa: ARG002 - the recorder keeps the time
        update_source_event_id: bool = True,
    ) -> int:
        source: int = context.source_event_id
        kind = event_type.value
        if context.environment.stopped and not kind.endswith("Aborted"):
            return source  # a branch that was stopped has nothing more to say
        previous = source
        if kind == "EvaluationFailed":  # AWS hangs it on the event before the state's entry
            previous = self._execution.events[source - 1]["previousEventId"]
        number = self._execution.record(kind, event_details, previous=previous)
        if number:
            context.last_published_event_id = number
            if update_source_event_id:
                context.source_event_id = number
        return number


class _Endpoint(seams.callback.CallbackEndpoint):
    """Where the interpreter waits for a token to come back."""

    def setup_heartbeat_endpoint(self, heartbeat_seconds: int) -> Any:
        beats: Any = super().setup_heartbeat_endpoint(heartbeat_seconds)
        if self.get_outcome() is not None:  # the report came before the interpreter waits for beats
            beats.notify()
        return beats


class _Callbacks(seams.callback.CallbackPoolManager):
    """Makes the tokens of `.waitForTaskToken` known to the engine."""

    def __init__(self, run: Run) -> None:
        super().__init__(activity_store={})
        self._run = run
        self._endpoints: dict[str, _Endpoint] = {}

    def add(self, callback_id: str) -> Any:
        endpoint = self._endpoints[callback_id] = _Endpoint(callback_id)
        self._run.issue(callback_id, CallbackTask(endpoint))
        return endpoint

    def get(self, callback_id: str) -> Any:
        return self._endpoints.get(callback_id)


class Environment(seams.environment.Environment):
    """What a state sees while it is evaluated; each branch, iteration and attempt has a frame of its own."""

    run: Run

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.over = threading.Event()
        self.task: Token | None = None
        self.stopped = False
        self.event_history_context.environment = self  # type: ignore[attr-defined]  # the recorder asks it

    @classmethod
    def as_frame_of(cls, env: Any, event_history_frame_cache: Any = None) -> "Environment":
        return cls.as_inner_frame_of(env, env.variable_store, event_history_frame_cache)

    @classmethod
    def as_inner_frame_of(cls, env: Any, variable_store: Any, event_history_frame_cache: Any = None) -> "Environment":
        frame: Any = super().as_inner_frame_of(env, variable_store, event_history_frame_cache)
        frame.run = env.run
        return cast("Environment", frame)

    def set_ended(self) -> None:
        super().set_ended()
        self._let_go()

    def set_error(self, error: Any) -> None:
        super().set_error(error)
        self._let_go()

    def set_timed_out(self) -> None:
        super().set_timed_out()
        self._let_go()

    def set_stop(self, stop_date: Any, cause: str | None, error: str | None) -> None:
        self.stopped = self.stopped or self.is_running()
        super().set_stop(stop_date, cause, error)
        self._let_go()

    def stop_frames(self) -> None:
        """Stops what runs inside of this frame, but not the frame itself."""
        for frame in list(self._frames):
            frame.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)

    def program_state(self) -> Any:
        """A copy; a shallow one suffices, and is asked for at every state."""
        return copy.copy(self._program_state)

    def _let_go(self) -> None:
        """Wakes whatever waits in this frame: a Wait, a retry, a task."""
        self.over.set()
        if task := self.task:
            task.close()


def _environment(run: Run) -> Environment:
    execution, place = run.execution, run.host.place
    role = execution.revision.role
    started = seams.iso_milliseconds(datetime.fromtimestamp(execution.started, UTC))
    kind = seams.StateMachineType.EXPRESS if execution.express else seams.StateMachineType.STANDARD
    environment = Environment(
        aws_execution_details=seams.AWSExecutionDetails(account=place.account, region=place.region, role_arn=role),
        execution_type=kind,
        context={
            "Execution": {
                "Id": execution.arn,
                "Input": json.loads(execution.input),
                "Name": execution.name,
                "RoleArn": role,
                "StartTime": started,
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine_name},
        },
        event_history_context=seams.EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )
    environment.run = run
    environment.event_manager = _Recorder(execution)
    environment.callback_pool_manager = _Callbacks(run)
    return environment
