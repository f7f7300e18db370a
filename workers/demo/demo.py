"""`workers demo`: the main job end to end, on real input.

An embedded Step Functions on a free port, a `workers run` process, and an execution for each package of the standard
library. What is started here is stopped here, also after Ctrl-C.
"""

import os
import platform
import signal
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import anyio
from rich.console import Console
from rich.markup import escape

from workers.demo.census import DEFINITION, registry
from workers.demo.executions import run_executions
from workers.demo.library import DAMAGED, Package, damaged_copy, standard_library
from workers.demo.path import execution_path
from workers.demo.progress import progress
from workers.demo.report import census_table, path_tree
from workers.demo.worker import WorkerProcess, worker_process
from workers.errors import ExitCode, WorkersError
from workers.executions.execution import Execution, ExecutionFailedError
from workers.executions.history import execution_history
from workers.local import LocalStepFunctions
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.results import Registered
from workers.settings import ENV_PREFIX, Settings
from workers.stepfunctions.account import Account, open_account

REGISTRY = "workers.demo.census:registry"
_ROLE = "arn:aws:iam::123456789012:role/census"
_POLL_HOLD = 1.0
"""Seconds: a worker that drains waits for its open polls, and nobody watching wants to wait for a minute."""


def main(console: Console) -> int:
    """Runs the demo; the process's exit code: 0, 1 when anything failed, 128 + N after signal N.

    Takes what configures AWS and workers out of the environment first: the demo needs its own engine only, and
    must not stumble over somebody's profile. Raises `UsageError` when it cannot start.
    """
    for name in [name for name in os.environ if name.startswith(("AWS_", ENV_PREFIX))]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return anyio.run(_until_signal, console)


async def _until_signal(console: Console) -> int:
    code: int = ExitCode.OK
    refused: WorkersError | None = None

    async def stop_on_signal() -> None:
        nonlocal code
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            number = await anext(signals)
            console.print(f"stopping on {signal.Signals(number).name}")
            code = 128 + number
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(stop_on_signal, name="signals")
        try:
            code = await demo(console)
        except WorkersError as error:  # raised below, where no task group wraps it
            refused = error
        group.cancel_scope.cancel()
    if refused:
        raise refused
    return code


async def demo(console: Console, *, definition: Path = DEFINITION) -> ExitCode:
    """The whole demo on the state machine in the file `definition`, told on `console`.

    Raises `UsageError` for a Python without source files, `MissingExtraError` without the packages of the engine.
    """
    with TemporaryDirectory(prefix="workers-demo-") as name:
        folder = Path(name)
        packages = [damaged_copy(folder), *standard_library()]
        async with (
            LocalStepFunctions(poll_hold=_POLL_HOLD) as local,
            worker_process(REGISTRY, port=local.port, folder=folder) as worker,
            open_account(Settings(local=True, local_port=local.port)) as account,
        ):
            machine = await ensure_state_machine("census", definition, role=_ROLE, account=account)
            _introduce(console, local.url, machine.arn, worker, packages)
            started = monotonic()
            executions = await _count(account, machine, packages, worker, console)
            seconds = monotonic() - started
            if _problems(console, executions, worker):
                return ExitCode.FAULT
            await _show(console, account, executions)
            return await _conclude(console, executions, seconds, worker)


def _introduce(console: Console, url: str, machine: str, worker: WorkerProcess, packages: Sequence[Package]) -> None:
    console.print(f"[bold]Step Functions[/]  embedded, at {url}")
    console.print(f"[bold]State machine[/]   {machine}, {len(registry)} activities")
    console.print(f"[bold]Worker[/]          process {worker.pid}: {worker.command}")
    console.print(
        f"[bold]Work[/]            the standard library of Python {platform.python_version()}: "
        f"{len(packages)} packages, one execution each\n"
    )


async def _count(
    account: Account, machine: Registered, packages: Sequence[Package], worker: WorkerProcess, console: Console
) -> list[Execution]:
    """Runs the executions, as long as the worker runs; those that have ended."""
    executions: list[Execution] = []
    async with anyio.create_task_group() as group:

        async def stop_with_worker() -> None:
            await worker.ended()
            group.cancel_scope.cancel()

        group.start_soon(stop_with_worker, name="watch the worker")
        with progress(console, len(packages)) as counted:

            def ended(execution: Execution) -> None:
                executions.append(execution)
                counted(execution.name)

            await run_executions(account, machine, packages, ended)
        group.cancel_scope.cancel()
    return executions


def _problems(console: Console, executions: Sequence[Execution], worker: WorkerProcess) -> bool:
    """Tells what failed, if anything did."""
    failed = [execution for execution in executions if not execution.succeeded]
    for execution in failed:
        console.print(f"[red]failed[/]: {escape(str(ExecutionFailedError(execution)))}")
    if worker.exit_code is not None:
        console.print(f"[red]The worker ended by itself[/] with exit code {worker.exit_code}. The end of its log:")
        console.print(escape(worker.last_words()))
    return bool(failed) or worker.exit_code is not None


async def _show(console: Console, account: Account, executions: Sequence[Execution]) -> None:
    damaged = next(execution for execution in executions if execution.name == DAMAGED)
    console.print(census_table([execution for execution in executions if execution is not damaged]))
    console.print("\nThe path of one execution, in whose package a file ends in the middle:\n")
    history = [event async for event in execution_history(damaged, account=account)]
    console.print(path_tree(damaged, execution_path(history)))


async def _conclude(
    console: Console, executions: Sequence[Execution], seconds: float, worker: WorkerProcess
) -> ExitCode:
    """Drains the worker, and sums up."""
    started = monotonic()
    code = await worker.stop()
    drained = monotonic() - started
    console.print(f"\n{len(executions)} executions succeeded in {seconds:.1f} s.")
    console.print(f"On SIGTERM the worker drained in {drained:.1f} s and ended with exit code {code}.")
    if code == ExitCode.OK:
        return ExitCode.OK
    console.print(escape(worker.last_words()))
    return ExitCode.FAULT
