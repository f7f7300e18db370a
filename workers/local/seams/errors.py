"""Error names: reserved ones keep their meaning when a branch or an iteration passes them on."""

from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    ILLEGAL_CUSTOM_ERROR_PREFIX,
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback

from workers.local.seams.table import replaces, uses

_RESERVED = {kind.to_name(): kind for kind in StatesErrorNameType}


def error_named(error_name: str | None) -> Any:
    """The interpreter's object for an error name, reserved or not."""
    if error_name in _RESERVED:
        return StatesErrorName(_RESERVED[error_name])
    if error_name is not None and error_name.startswith(ILLEGAL_CUSTOM_ERROR_PREFIX):
        return ErrorName(error_name)
    return CustomErrorName(error_name)


class HeartbeatTimeout(StatesErrorName):
    """The name of a missed heartbeat: histories say States.Timeout, `ErrorEquals` may say either."""

    def __init__(self) -> None:
        super().__init__(StatesErrorNameType.StatesTimeout)

    def __eq__(self, other: object) -> bool:
        names = ("States.Timeout", "States.HeartbeatTimeout")
        return isinstance(other, ErrorName) and other.error_name in names

    def __hash__(self) -> int:
        return hash(self.error_name)


for _module in (branches_decl, iteration_worker, state_task_service_callback):
    replaces(
        _module,
        "CustomErrorName",
        error_named,
        "a branch, iteration or callback that ends in States.Timeout and the like could not be caught",
    )

_choose = uses(StateChoice, "_eval_state", "finds the rule of a Choice that matches")


def _choose_or_fail(choice: Any, env: Any) -> None:
    try:
        _choose(choice, env)
    except RuntimeError:
        if choice.default_state is not None:
            raise
        entered = env.event_history_context.source_event_id
        cause = (
            f"An error occurred while executing the state '{choice.name}' (entered at the event id #{entered}). "
            "Failed to transition out of the state. The state does not point to a next state."
        )
        error = error_named("States.NoChoiceMatched")
        details: Any = {"executionFailedEventDetails": {"error": error.error_name, "cause": cause}}
        raise FailureEventException(FailureEvent(env, error, HistoryEventType.ExecutionFailed, details)) from None


replaces(StateChoice, "_eval_state", _choose_or_fail, "moto ends a Choice without a match in States.Runtime")
