"""A queue that the engine's own events come by."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from tests.account import unique
from tests.manager.sync.conftest import House, hasty, here, house, proxy, store, url
from workers.local import LocalStepFunctions
from workers.manager.events import receiver
from workers.manager.events.queue import EventQueue, OpenQueue, open_queue
from workers.manager.events.receiver import Receiver
from workers.stepfunctions.account import Account

__all__ = ["hasty", "here", "house", "proxy", "store", "url"]


@pytest.fixture(autouse=True)
def _polls_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moto still holds when its client has gone swallows messages."""
    monkeypatch.setattr(receiver, "WAIT", 1)


@pytest.fixture(scope="package")
def engine() -> Iterator[LocalStepFunctions]:
    """An engine of its own: once somebody listens, every execution costs an event."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(LocalStepFunctions(poll_hold=0.3)) as local,
    ):
        yield local


class Post:
    """A queue with its rule, and who receives from it."""

    def __init__(self, queue: OpenQueue, house: House) -> None:
        self.queue = queue
        self.heard = {"news": 0, "known": 0, "strange": 0}
        self.receiver = Receiver(queue, house.store, house.recorder, self._count)

    def _count(self, kind: str, number: int) -> None:
        self.heard[kind] += number

    async def send(self, *bodies: str) -> None:
        """Puts messages into the queue, as nobody else would."""
        for body in bodies:
            await self.queue.sqs.send_message(QueueUrl=self.queue.url, MessageBody=body)

    async def take(self) -> None:
        """Receives one batch."""
        answer = await self.queue.sqs.receive_message(QueueUrl=self.queue.url, MaxNumberOfMessages=10)
        await self.receiver.take(answer.get("Messages", ()))

    async def left(self) -> int:
        """Messages that have not been deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = await self.queue.sqs.get_queue_attributes(QueueUrl=self.queue.url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    async def empty(self) -> None:
        """Waits until all messages are deleted."""
        while await self.left():
            await anyio.sleep(0.05)


@pytest.fixture
async def post(house: House, here: Account) -> AsyncIterator[Post]:
    async with open_queue(here, EventQueue(unique("events"), create=True)) as queue:
        yield Post(queue, house)
        async with here.client("events") as events:  # what happens in other tests is no business of this queue
            name = queue.arn.rpartition(":")[2]
            await events.remove_targets(Rule=name, Ids=["workers"])
            await events.delete_rule(Name=name)


def body_of(event: dict[str, Any]) -> dict[str, Any]:
    """The body of a message, of what an event is about."""
    return {"version": "0", "detail-type": "Step Functions Execution Status Change", "source": "aws.states",
            "account": "123456789012", "region": "us-east-1", "detail": event}  # fmt: skip
