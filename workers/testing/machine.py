"""A whole state machine in one call, on the engine of the tests."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import anyio

import workers.logs  # noqa: F401 - before structlog, which would load rich
from workers.arns import LOCAL_ACCOUNT
from workers.errors import WorkersError
from workers.executions.history import execution_history
from workers.executions.listing import list_executions
from workers.executions.start import NO_INPUT
from workers.executions.waiting import describe_execution
from workers.machines.definition import load
from workers.machines.registration.wanted import Given
from workers.registry import Registry
from workers.reloaded.fresh import Fresh
from workers.reloaded.run import working
from workers.settings import Settings
from workers.stepfunctions.account import Account
from workers.testing.engine import the_engine
from workers.testing.mocks import mocked
from workers.testing.registrations import Registrations
from workers.testing.run import MachineRun
from workers.testing.worker import EngineWorker

registrations = Registrations()
"""What is registered on the engine of this process."""


class StillRunsError(WorkersError):
    """An execution has not ended within the time that a test has for it."""


async def run_machine(
    definition: Given,
    registry: Registry | None = None,
    input: Any = NO_INPUT,  # noqa: A002 - AWS's own word
    *,
    mocks: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 - it says in which states the execution hangs
) -> MachineRun:
    """Runs a machine on `input` with the handlers of `registry`; the execution when it has ended, well or not.

    It runs on an embedded Step Functions that all tests of the process share, and whose clock skips: a Wait of an
    hour, the pause before a retry, a timeout that nobody meets cost no time. Each run has a machine and activities
    of its own, so that tests do not see each other. Handlers run in the caller's event loop, with the interceptors and
    lifespans of the registry. `definition`: a file, Python data, a model. `mocks`: outcomes of Task states by name: a
    result, an exception, a function of the input, or several `in_turn`. `settings`: the worker's. `timeout`: seconds
    of the real clock.

    Raises `StillRunsError`, `UsageError` when an activity has no handler, and `InvalidDefinitionError`.
    """
    handlers = Registry() if registry is None else registry
    engine = await the_engine()
    account = engine.account
    if mocks:
        definition, handlers = mocked(load(definition), handlers, mocks, place=account.place)
    names = [handler.name for handler in handlers]
    machine = registrations.idle(account, definition, names)
    if machine is None:
        machine = await registrations.make(account, definition, names)
    there = {"local": True, "local_port": engine.engine.port, "account": LOCAL_ACCOUNT}
    used = settings.model_copy(update=there) if settings else account.settings
    worker = EngineWorker(machine, handlers, used, account.engine_client) if machine.arns else None
    try:
        with anyio.fail_after(timeout):
            async with working(worker) if worker else nullcontext():
                run = await _run(machine, input)
    except TimeoutError:
        where = await _state_of(machine.machine.arn, account)
        raise StillRunsError(f"the execution still runs after {timeout:g} s{where}") from None
    registrations.give_back(machine)
    return run


async def _run(machine: Fresh, given: Any) -> MachineRun:
    execution = await machine.run(given)
    events = [event async for event in execution_history(execution.arn, account=machine.account)]
    return MachineRun.of(execution, events)


async def _state_of(machine: str, account: Account) -> str:
    """In which state the last execution of a machine was stopped."""
    async for execution in list_executions(machine, account=account):
        stopped = await describe_execution(execution, account=account)
        return f", in state {stopped.failed_state}" if stopped.failed_state else ""
    return ""
