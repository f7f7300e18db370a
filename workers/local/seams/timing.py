"""Threads and time: fewer threads, waits that end when they should."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import max_attempts_decl, retrier_decl, retrier_outcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp, wait_function

from workers.local.seams.table import replaces, uses


def sleep(env: Any, seconds: float) -> None:
    """Waits `seconds`, or until `env` no longer runs."""
    over = getattr(env, "over", env.program_state_event)
    deadline = monotonic() + seconds
    while env.is_running() and (left := deadline - monotonic()) > 0:
        over.wait(left)


def _evaluate_program(program: Any, env: Any) -> None:
    env.next_state_name = program.start_at.start_at_name
    EvalComponent.eval(program, env)


replaces(
    Program,
    "eval",
    _evaluate_program,
    "moto runs each program in one more thread, to limit its time; the engine limits it by a timer",
)


replaces(
    wait_function.WaitFunction,
    "_wait_interval",
    lambda _, env, wait_seconds: sleep(env, wait_seconds),
    "moto counts whole seconds, and can miss a stop",
)


def _seconds_until_timestamp(function: Any, env: Any) -> float:
    function.string.eval(env=env)
    text = env.stack.pop()
    moment = function._from_timestamp_string(text)  # noqa: SLF001 - noted below
    if moment is None:
        raise FailureEventException(function._create_failure_event(env, text))  # noqa: SLF001 - noted below
    seconds: float = (moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    return seconds


uses(timestamp.Timestamp, "_from_timestamp_string", "reads the timestamps of Wait states")
uses(timestamp.Timestamp, "_create_failure_event", "words the error for a timestamp that is none")
replaces(
    timestamp.Timestamp,
    "_get_wait_seconds",
    _seconds_until_timestamp,
    "moto compares UTC with the local time of the machine",
)


def _retry(retrier: Any, env: Any) -> None:
    retrier.error_equals.eval(env)
    if not env.stack.pop():
        env.stack.append(retrier_outcome.RetrierOutcome.Skipped)
        return
    retrier.max_attempts.eval(env)
    if env.stack.pop() == max_attempts_decl.MaxAttemptsOutcome.EXHAUSTED:
        env.stack.append(retrier_outcome.RetrierOutcome.Failed)
        return
    for part in (retrier.interval_seconds, retrier.backoff_rate, retrier.max_delay_seconds, retrier.jitter_strategy):
        part.eval(env)
    sleep(env, env.stack.pop())
    env.stack.append(retrier_outcome.RetrierOutcome.Executed)


replaces(retrier_decl.RetrierDecl, "_eval_body", _retry, "moto sleeps on through a StopExecution")

_from_state_props = execute_state.ExecutionState.from_state_props


def _from_state_props_without_timeout(execution_state: Any, state_props: Any) -> None:
    _from_state_props(execution_state, state_props)
    if execution_state.timeout.is_default_value():
        seconds = TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS
        execution_state.timeout = TimeoutSeconds(seconds, is_default=True)


replaces(
    execute_state.ExecutionState,
    "from_state_props",
    _from_state_props_without_timeout,
    "moto gives a task with HeartbeatSeconds and without TimeoutSeconds 60 seconds",
)


class _AttemptThread(threading.Thread):
    """Runs one attempt at a task, so that it can be left behind when its time is up."""

    inline = threading.local()

    def start(self) -> None:
        if getattr(self.inline, "wanted", False):
            self.run()
        else:
            super().start()


replaces(execute_state, "Thread", _AttemptThread, "an activity's task ends by itself in time: it needs no thread")


@contextmanager
def without_attempt_thread() -> Iterator[None]:
    """Runs attempts that begin meanwhile in the thread that begins them."""
    _AttemptThread.inline.wanted = True
    try:
        yield
    finally:
        _AttemptThread.inline.wanted = False


def forget_threads() -> None:
    """Empties the list in which moto keeps every thread it ever started."""
    utils.TMP_THREADS.clear()


uses(utils, "TMP_THREADS", "grows with every thread, for ever")
