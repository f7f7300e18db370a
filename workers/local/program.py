"""Programs: state machines compiled, so that any number of executions can run them."""

import re
from collections.abc import Callable
from typing import NamedTuple

from workers.local.branch import Plan, State
from workers.local.states.activity import ActivityState
from workers.local.states.choosing import ChoiceState
from workers.local.states.distributed_map import DistributedMapState
from workers.local.states.failing import FailState
from workers.local.states.inline_map import InlineMapState
from workers.local.states.parallel import ParallelState
from workers.local.states.passing import PassState
from workers.local.states.service import ServiceState
from workers.local.states.succeeding import SucceedState
from workers.local.states.waiting import WaitState
from workers.machines.model.machine import AnyState, Branch, Map, Parallel, StateMachine
from workers.machines.model.states import Task

_ACTIVITY = re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:activity:.+", re.ASCII)


class Program(NamedTuple):
    """What executions of a machine run."""

    plan: Plan
    timeout: float | None
    """Seconds that an execution may take."""
    distributed: dict[str, DistributedMapState]
    """Its Distributed Maps, by name: their iterations are executions of their own."""


def compiled(machine: StateMachine) -> Program:
    """The program of a machine that is known to be valid."""
    distributed: dict[str, DistributedMapState] = {}
    plan = _plan(machine, machine.query_language, distributed)
    return Program(plan, machine.timeout_seconds, distributed)


def _plan(branch: Branch, language: str | None, distributed: dict[str, DistributedMapState]) -> Plan:
    states = {name: _state(name, state, language, distributed) for name, state in branch.states.items()}
    return Plan(branch.start_at, states)


def _state(name: str, model: AnyState, language: str | None, distributed: dict[str, DistributedMapState]) -> State:
    jsonata = model.speaks_jsonata(language)
    match model:
        case Task():
            kind = ActivityState if _ACTIVITY.fullmatch(model.resource) else ServiceState
            return kind(name, model, jsonata=jsonata)
        case Parallel():
            plans = tuple(_plan(part, language, distributed) for part in model.branches)
            return ParallelState(name, model, plans, jsonata=jsonata)
        case Map():
            plan = _plan(model.processor, language, distributed)
            if not model.distributed:
                return InlineMapState(name, model, plan, jsonata=jsonata)
            distributed[name] = DistributedMapState(name, model, plan, jsonata=jsonata)
            return distributed[name]
    return _SIMPLE[model.type](name, model, jsonata=jsonata)


_SIMPLE: dict[str, Callable[..., State]] = {
    "Pass": PassState,
    "Choice": ChoiceState,
    "Wait": WaitState,
    "Succeed": SucceedState,
    "Fail": FailState,
}
