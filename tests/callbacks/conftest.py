"""Machines that wait for a key, on the engine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.account import ROLE, Account, unique
from workers.arns import Place
from workers.callbacks import Callbacks
from workers.machines import load

HERE = Place("aws", "us-east-1", "123456789012")


class Shop:
    """An application with callbacks: one machine whose one state waits for `$.key`."""

    def __init__(self, account: Account, environment: str, callbacks: Callbacks) -> None:
        self.account = account
        self.environment = environment
        self.callbacks = callbacks
        self.machine = ""

    async def open(self, **fields: Any) -> None:
        state = {"type": "task", "resource": "callback:shop", "task_key": "$.key", "end": True, **fields}
        definition = load({"start_at": "Wait", "states": {"Wait": state}})
        text = json.dumps(definition.to_asl(place=HERE, namespace=self.environment))
        made = await self.account.client.create_state_machine(name=unique("machine"), definition=text, roleArn=ROLE)
        self.machine = made["stateMachineArn"]

    async def start(self, key: str) -> str:
        """The ARN of an execution that waits for `key`."""
        started = await self.account.client.start_execution(
            stateMachineArn=self.machine, input=json.dumps({"key": key})
        )
        return str(started["executionArn"])

    async def end(self, execution: str) -> Any:
        """Its output, or (error, cause), or how else it ended."""
        found = await self.account.ended(execution)
        if found["status"] == "SUCCEEDED":
            return json.loads(found["output"])
        return (found["error"], found.get("cause", "")) if found["status"] == "FAILED" else found["status"]

    async def knows(self, key: str, *, tokens: int = 1) -> None:
        """Waits until so many tokens for `key` were stored."""
        while True:
            entries, _ = await self.callbacks._entries(key)
            if sum(entry.token is not None for entry in entries) >= tokens:
                return
            await anyio.sleep(0.02)


Shops = Callable[..., AbstractAsyncContextManager[Shop]]


@pytest.fixture(params=["sqlite", pytest.param("dynamodb", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store, one of each kind."""
    return f"sqlite://{tmp_path}/callbacks.db" if request.param == "sqlite" else f"dynamodb://{unique('callbacks')}"


@pytest.fixture
def shops(account: Account, store: str) -> Shops:
    """`async with shops(**options) as shop`: with a consumer that runs, unless `consume=False`."""

    @asynccontextmanager
    async def open_shop(
        *, consume: bool = True, state: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[Shop]:
        environment = unique("env")
        async with Callbacks(environment, "shop", **{"store": store, **options}) as callbacks:
            shop = Shop(account, environment, callbacks)
            await callbacks.create()
            await shop.open(**(state or {}))
            consumer = asyncio.create_task(callbacks.consume()) if consume else None
            try:
                yield shop
            finally:
                if consumer:
                    consumer.cancel()
                    await asyncio.wait([consumer])

    return open_shop
