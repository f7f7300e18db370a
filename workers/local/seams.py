"""Every name of moto's interpreter that is used, replaced or mended here, each with its reason.

moto (vendored from LocalStack) evaluates the Amazon States Language, but has no activities, and was not made for
many executions at once. It offers no way to extend it, so this module reaches inside. Nothing else does: the rest
of the engine takes moto's names from here. A test compares each touched name with the version this was made for.
"""

import importlib
import importlib.util
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic
from typing import Any, NamedTuple

from workers.errors import WorkersError


def _import_without_package(package: str, module: str) -> None:
    """Imports `module` of `package`, but not what `package/__init__.py` imports.

    The interpreter needs one enumeration of `moto.batch`, whose package loads EC2 with 100 MB of tables. The
    package is left unloaded, for whoever really uses it.
    """
    if package in sys.modules or (spec := importlib.util.find_spec(package)) is None:
        return
    sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        importlib.import_module(module)
    finally:
        del sys.modules[package]


_import_without_package("moto.batch", "moto.batch.utils")

# ruff: noqa: E402 - moto.batch had to be dealt with first
import jsonata
from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name, error_name
from moto.stepfunctions.parser.asl.component.common.error_name import states_error_name as states_errors
from moto.stepfunctions.parser.asl.component.common.error_name import states_error_name_type as error_types
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.common.retry import max_attempts_decl, retrier_decl, retrier_outcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    inline_iteration_component,
    iteration_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
    distributed_item_processor_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iterator import (
    distributed_iterator_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import StateTaskActivity
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp, wait_function
from moto.stepfunctions.parser.asl.eval import environment, states, variable_store
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse import asl_parser, preprocessor
from moto.stepfunctions.parser.asl.utils import json_path

__all__ = [  # what the engine takes from moto as it is
    "AWSExecutionDetails",
    "EvalComponent",
    "EventHistoryContext",
    "EventManager",
    "ExecutionFailedEventDetails",
    "FailureEvent",
    "FailureEventException",
    "HistoryEventType",
    "Program",
    "ProgramStopped",
    "StateMachineType",
    "StateTaskActivity",
    "StateTaskServiceCallback",
    "TimeoutSeconds",
    "asl_parser",
    "callback",
    "environment",
]

MAP_CONCURRENCY = 40
"""Iterations that an inline Map runs at once, at most (Step Functions developer guide, Map state)."""


class Seam(NamedTuple):
    """A name of moto that is touched: `owner` is a module or a class, `original` what moto put there."""

    owner: Any
    name: str
    original: Any
    why: str


SEAMS: list[Seam] = []
"""All of them; filled while the engine is imported."""

_GONE = object()


def uses(owner: Any, name: str, why: str) -> Any:
    """Notes that a private name of moto is relied on, and returns it. Raises `WorkersError` where it has gone."""
    original = vars(owner).get(name, _GONE)
    if original is _GONE:
        raise WorkersError(
            f"this moto has no {owner.__name__}.{name}, which the embedded engine needs: {why}. "
            "Install the version that `pip install 'sfn-workers[local]'` chooses"
        )
    SEAMS.append(Seam(owner, name, original, why))
    return original


def replaces(owner: Any, name: str, value: Any, why: str) -> None:
    """Puts `value` in the place of one of moto's names."""
    uses(owner, name, why)
    setattr(owner, name, value)


# ---- The state that runs activities ---------------------------------------------------------------------------

uses(StateTaskActivity, "_eval_parameters", "evaluates the input of an activity's task")
uses(StateTaskActivity, "_from_error", "makes history events of the ways in which a task ends badly")


def install_activity_state(activity_state: type[Any]) -> None:
    """Makes the interpreter use `activity_state` for every task of an activity."""
    replaces(
        state_task_factory,
        "StateTaskActivity",
        activity_state,
        "moto's state waits for polls that its API does not have, and loses results that come at once",
    )


def install_callback_attempts(begin: Callable[[Any], None]) -> None:
    """Makes the interpreter call `begin` with the frame of each attempt at a task that waits for its token."""
    evaluate = StateTaskService._eval_execution  # noqa: SLF001 - noted below

    def evaluate_attempt(task: Any, env: Any) -> None:
        if task.resource.condition == ResourceCondition.WaitForTaskToken:
            begin(env)
        evaluate(task, env)

    uses(StateTaskService, "_eval_execution", "runs one attempt at a task of an AWS service")
    setattr(StateTaskServiceCallback, "_eval_execution", evaluate_attempt)  # noqa: B010 - mypy: it has none yet


# ---- Errors that keep their meaning ---------------------------------------------------------------------------

_STATES_ERRORS = {kind.to_name(): kind for kind in error_types.StatesErrorNameType}


def error_named(name: str | None) -> Any:
    """The interpreter's object for an error name, reserved or not."""
    if name in _STATES_ERRORS:
        return states_errors.StatesErrorName(_STATES_ERRORS[name])
    if name is not None and name.startswith(custom_error_name.ILLEGAL_CUSTOM_ERROR_PREFIX):
        return error_name.ErrorName(name)
    return custom_error_name.CustomErrorName(name)


class HeartbeatTimeout(states_errors.StatesErrorName):
    """The name of a missed heartbeat: histories say States.Timeout, `ErrorEquals` may say either."""

    def __init__(self) -> None:
        super().__init__(error_types.StatesErrorNameType.StatesTimeout)

    def __eq__(self, other: object) -> bool:
        names = ("States.Timeout", "States.HeartbeatTimeout")
        return isinstance(other, error_name.ErrorName) and other.error_name in names

    def __hash__(self) -> int:
        return hash(self.error_name)


for _module in (branches_decl, iteration_worker):
    replaces(
        _module,
        "CustomErrorName",
        error_named,
        "a branch or iteration that ends in States.Timeout and the like could not be caught outside of it",
    )


# ---- Threads and time -----------------------------------------------------------------------------------------


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


def forget_threads() -> None:
    """Empties the list in which moto keeps every thread it ever started."""
    utils.TMP_THREADS.clear()


uses(utils, "TMP_THREADS", "grows with every thread, for ever")


# ---- Maps -----------------------------------------------------------------------------------------------------


def _as_loop(eval_pool: Callable[..., None]) -> Callable[..., None]:
    """Turns a worker's tail call of itself for its next item into a loop."""

    def evaluate(worker: Any, job: Any, worker_frame: Any) -> None:
        if hasattr(worker, "next_call"):
            worker.next_call = (job, worker_frame)
            return
        call = (job, worker_frame)
        while call:
            worker.next_call = None
            eval_pool(worker, *call)
            call = worker.next_call

    return evaluate


for _class in (
    iteration_worker.IterationWorker,
    distributed_item_processor_worker.DistributedItemProcessorWorker,
    distributed_iterator_worker.DistributedIteratorWorker,
):
    replaces(
        _class,
        "_eval_pool",
        _as_loop(vars(_class)["_eval_pool"]),
        "moto recurses for every item: a long Map ends in a RecursionError",
    )

_launch_worker = inline_iteration_component.InlineIterationComponent._launch_worker  # noqa: SLF001 - replaced next


def _launch_few_workers(component: Any, env: Any, eval_input: Any, job_pool: Any) -> Any:
    job_pool.launched = getattr(job_pool, "launched", 0) + 1
    return _launch_worker(component, env, eval_input, job_pool) if job_pool.launched <= MAP_CONCURRENCY else None


replaces(
    inline_iteration_component.InlineIterationComponent,
    "_launch_worker",
    _launch_few_workers,
    "moto starts a thread for each item of a Map without MaxConcurrency",
)


# ---- Parsing once, evaluating often ---------------------------------------------------------------------------


class _Preprocessor(preprocessor.Preprocessor):
    def __init__(self) -> None:
        super().__init__()
        self._query_language_per_scope: list[Any] = []


uses(preprocessor.Preprocessor, "_query_language_per_scope", "the stack of query languages while parsing")
replaces(
    asl_parser,
    "Preprocessor",
    _Preprocessor,
    "moto keeps that stack on the class: a definition that fails to parse leaves its language to the next one",
)
replaces(
    EvalComponent,
    "heap_key",
    property(lambda component: str(id(component))),
    "moto makes the key when it is first used, which two executions of one parsed definition may do at once",
)
for _module in (json_path, result_path):
    replaces(_module, "parse", lru_cache(1024)(_module.parse), "moto parses a JSONPath at each use of it: milliseconds")


# ---- Values ---------------------------------------------------------------------------------------------------


def _evaluate_jsonata(expression: str) -> Any:
    try:
        return json.loads(json.dumps(jsonata.Jsonata(expression).evaluate(None), default=lambda _: None))
    except Exception as error:  # the library raises whatever its parser stumbles over
        raise moto_jsonata.JSONataException("UNKNOWN", str(error)) from error


replaces(moto_jsonata, "_eval_jsonata", _evaluate_jsonata, "moto evaluates JSONata in a Java machine it does not bring")


def _declare_variables(bindings: dict[str, Any]) -> str:
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


for _module in (states, variable_store):
    replaces(
        _module,
        "encode_jsonata_variable_declarations",
        _declare_variables,
        "moto puts strings into JSONata expressions without escaping quotes and backslashes",
    )


def _state_data(EnteredTime: str, Name: str) -> dict[str, Any]:  # noqa: N803 - called with these keywords
    return {"EnteredTime": iso_milliseconds(datetime.fromisoformat(EnteredTime)), "Name": Name}


def iso_milliseconds(moment: datetime) -> str:
    """A time as the context object shows it: 2024-12-31T23:59:59.123Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


replaces(state, "StateData", _state_data, "moto writes $$.State.EnteredTime with microseconds and +00:00")

# A state that fails is no fault of the engine, and a client sees it in the history.
logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
