"""Who did the tasks of late: a worker that nobody knows still polls, and runs whatever code it has."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from workers.doctor.findings import Finding, Level
from workers.errors import UsageError
from workers.executions.history import execution_history
from workers.executions.listing import list_executions
from workers.settings import PLACEHOLDER
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import ServiceError

RECENT = 20
"""Executions whose histories are read."""


@dataclass(slots=True)
class _Seen:
    tasks: int
    last: datetime


async def check_pollers(name: str, deployed_as: str, account: Account, *, recent: int) -> list[Finding]:
    """The workers that took tasks of the `recent` last executions of a machine.

    `deployed_as`: its name or ARN; where nothing is deployed there, nothing is found. With a `--worker-name` those
    that are not named like it are warned of; without one, all are named.
    """
    seen: dict[str, _Seen] = {}
    try:
        async for worker, at in _started(account.state_machine(deployed_as), account, recent):
            found = seen.setdefault(worker, _Seen(0, at))
            found.tasks, found.last = found.tasks + 1, max(found.last, at)
    except UsageError:  # a file whose name no machine can have
        return []
    except ServiceError as error:
        if error.code == "StateMachineDoesNotExist":
            return []
        message = f"other workers were not looked for: no executions of {deployed_as} can be read: {error}"
        return [Finding("pollers-not-examined", name, message, Level.NOTE)]
    template = account.settings.worker_name
    return [_finding(name, worker, seen[worker], template) for worker in sorted(seen) if not _is_ours(worker, template)]


async def _started(machine: str, account: Account, recent: int) -> AsyncIterator[tuple[str, datetime]]:
    """The worker's name and the time of each task that was started."""
    left = recent
    async for execution in list_executions(machine, account=account):
        if left == 0:
            return
        left -= 1
        async for event in execution_history(execution, data=False, account=account):
            if event.type == "ActivityStarted":
                yield str(event.details.get("workerName", "")), event.at


def _is_ours(worker: str, template: str | None) -> bool:
    if template is None:
        return False
    plain = [re.escape(part) for part in PLACEHOLDER.split(template)[::2]]
    return bool(re.fullmatch(".+".join(plain), worker))


def _finding(machine: str, worker: str, seen: _Seen, template: str | None) -> Finding:
    who = f"the worker {worker}" if worker else "a worker without a name"
    tasks = f"{seen.tasks} task{'s' * (seen.tasks > 1)} of recent executions, the last at {seen.last:%Y-%m-%d %H:%M %Z}"
    if template is None:
        hint = "if it should be gone, stop it; --worker-name tells your workers from others"
        return Finding("poller", machine, f"{who} took {tasks}: {hint}", Level.NOTE)
    return Finding("stale-poller", machine, f"{who}, which is not named like {template}, took {tasks}: stop it")
