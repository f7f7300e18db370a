"""What the loop could leave: registrations and processes."""

from pathlib import Path

from workers.machines.activities import list_activities
from workers.machines.registration.machines import list_state_machines
from workers.settings import Settings
from workers.stepfunctions.account import open_account


async def registered(port: int, namespace: str) -> list[str]:
    """The names of all machines and activities of a namespace on the engine at `port`."""
    async with open_account(Settings(local=True, local_port=port, namespace=namespace)) as account:
        machines = [machine.name async for machine in list_state_machines(account=account)]
        return machines + [activity.name async for activity in list_activities(account=account)]


def processes_in(folder: Path) -> list[int]:
    """The processes that run in a folder: the loop, its children, and theirs."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still run."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [pid for pid in pids if runs(pid)]
