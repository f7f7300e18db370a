"""An application with workflows of its own: no service beside it, only Step Functions.

    workers local                                          an embedded Step Functions, in a terminal of its own
    python examples/embedded/app.py --local                places orders, and waits for their ends

It polls for the work of its own workflows; a large order waits for a payment, which another task of the application
brings some time later by the order's key. On AWS it runs without `--local`, with `--role` for its state machines.
"""

import argparse
import asyncio
import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from workers import Registry, Settings
from workers.callbacks import Callbacks
from workers.embedded import EmbeddedManager
from workers.logs import configure_logs

ENVIRONMENT, APPLICATION = "development", "shop"
PRICES = {"book": 20, "lamp": 80}
registry = Registry()


@registry.activity
def price(items: dict[str, int]) -> dict[str, int]:
    """What the items of an order cost."""
    return {"total": sum(PRICES[item] * number for item, number in items.items())}


@registry.activity(concurrency=4)
async def ship(order: str, payment: dict[str, Any] | None = None) -> str:
    """Sends it."""
    await asyncio.sleep(0.1)
    return f"{order} shipped{', paid by ' + payment['by'] if payment else ''}"


async def place_orders(manager: EmbeddedManager, callbacks: Callbacks) -> list[str]:
    """A small and a large order; what became of them."""
    small = await manager.start_workflow("order", {"order": "order-1", "items": {"book": 2}})
    large = await manager.start_workflow("order", {"order": "order-2", "items": {"lamp": 3}})
    await callbacks.success("order-2", {"by": "card"})  # kept if it comes before the workflow waits for it
    return [json.loads(await ended(manager, workflow.id)) for workflow in (small, large)]


async def ended(manager: EmbeddedManager, workflow_id: str) -> str:
    """The output of a workflow, once it has ended."""
    while True:
        workflow = await manager.workflow(workflow_id)
        if workflow.status.terminal:
            return workflow.output or f'"{workflow.status}: {workflow.status_reason}"'
        await asyncio.sleep(0.2)


async def run(settings: Settings, role: str | None) -> list[str]:
    """Opens all, places the orders, and waits for the end of what runs."""
    definitions = Path(__file__).with_name("workflows.yaml")
    async with AsyncExitStack() as stack:
        tokens = f"sqlite://{stack.enter_context(tempfile.TemporaryDirectory())}/callbacks.db"
        manager = EmbeddedManager(
            ENVIRONMENT, APPLICATION, registry, definitions=definitions, role=role, settings=settings
        )
        await stack.enter_async_context(manager)
        callbacks = await stack.enter_async_context(
            Callbacks(ENVIRONMENT, APPLICATION, store=tokens, settings=settings)
        )
        await callbacks.create()
        consumer = asyncio.create_task(callbacks.consume())
        async with manager.working():
            shipped = await place_orders(manager, callbacks)
        consumer.cancel()
    return shipped


def main() -> None:
    """Runs the application once."""
    parser = argparse.ArgumentParser(description="An application with workflows of its own.")
    parser.add_argument("--local", action="store_true", help="use the embedded Step Functions of `workers local`")
    parser.add_argument("--local-port", type=int, default=8083)
    parser.add_argument("--role", help="the ARN of the role of its state machines")
    options = parser.parse_args()
    configure_logs("warning")
    settings = Settings(local=options.local, local_port=options.local_port)
    for line in asyncio.run(run(settings, options.role)):
        print(line)


if __name__ == "__main__":
    main()
