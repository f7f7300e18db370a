"""A process that runs a machine whose handler does not end; tests kill it. Arguments: port, namespace, user."""

import asyncio
import sys

from workers import Registry, reloaded
from workers.settings import Settings
from workers.stepfunctions.account import open_account

registry = Registry()


@registry.activity("wait")
async def wait() -> None:
    print("waiting", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


async def main(port: str, namespace: str) -> None:
    definition = {"start_at": "Work", "states": {"Work": {"type": "task", "resource": "wait", "end": True}}}
    async with open_account(Settings(local=True, local_port=int(port), namespace=namespace)) as account:
        await reloaded.start_execution("waits", definition, registry, account=account)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
