"""Every name of moto's interpreter that is used, replaced or mended, each with its reason.

moto (vendored from LocalStack) evaluates the Amazon States Language, but has no activities, and was not made for
many executions at once. It offers no way to extend it, so the modules in here reach inside. Nothing else does: the
rest of the engine takes moto's names from this package. A test compares each touched name with the version of moto
that this was made for.
"""

import logging

from workers.local.seams import light as light  # first: see there

# isort: split
from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import StateTaskActivity
from moto.stepfunctions.parser.asl.eval import environment
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.parse import asl_parser

from workers.local.seams import concurrency as concurrency
from workers.local.seams import parsing as parsing
from workers.local.seams.errors import HeartbeatTimeout, error_named
from workers.local.seams.table import SEAMS
from workers.local.seams.tasks import install_activity_state, install_callback_attempts
from workers.local.seams.timing import forget_threads, without_attempt_thread
from workers.local.seams.values import iso_milliseconds

__all__ = [
    "SEAMS",
    "AWSExecutionDetails",
    "EventHistoryContext",
    "EventManager",
    "FailureEvent",
    "FailureEventException",
    "HeartbeatTimeout",
    "HistoryEventType",
    "StateMachineType",
    "StateTaskActivity",
    "TimeoutSeconds",
    "asl_parser",
    "callback",
    "environment",
    "error_named",
    "forget_threads",
    "install_activity_state",
    "install_callback_attempts",
    "iso_milliseconds",
    "without_attempt_thread",
]

# A state that fails is no fault of the engine, and its client sees it in the history.
logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
