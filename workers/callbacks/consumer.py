"""Takes the messages with task tokens from their queue."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from workers.backoff import Backoff
from workers.errors import WorkersError
from workers.machines.notation.callbacks import ENTERED, EXECUTION, KEY, TOKEN

log = structlog.get_logger(__name__)

_WAIT = 20
"""Seconds that SQS holds a poll (the most it allows)."""
_AT_ONCE = 10
"""Messages of one poll (the most it allows)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A task that waits for a key."""

    key: str
    token: str = field(repr=False)
    execution: str
    """ARN of its execution."""
    entered: str
    """When its state was entered."""
    sent: int
    """Milliseconds of the epoch."""


class Consumer:
    """Hands each message to `arrived`, and deletes it when that has returned; one that fails comes again."""

    def __init__(self, sqs: Any, url: str, arrived: Callable[[Message], Awaitable[None]]) -> None:
        self._sqs = sqs
        self._url = url
        self._arrived = arrived

    async def run(self) -> None:
        """Polls for ever."""
        backoff = Backoff(initial=0.5, maximum=20.0)
        while True:
            try:
                answer = await self._sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=_AT_ONCE,
                    WaitTimeSeconds=_WAIT,
                    AttributeNames=["SentTimestamp"],
                )
            except (ClientError, BotoCoreError, OSError, TimeoutError) as error:
                delay = backoff.next()
                log.warning("callbacks cannot be received", error=str(error), again_in=delay)
                await anyio.sleep(delay)
                continue
            backoff.reset()
            async with anyio.create_task_group() as group:
                for found in answer.get("Messages", ()):
                    group.start_soon(self._take, found, name="callback")

    async def _take(self, found: dict[str, Any]) -> None:
        try:
            message = read_message(found)
        except ValueError as error:  # it goes to the dead-letter queue in the end
            log.warning("callback not understood", message=found["MessageId"], error=str(error))
            return
        try:
            await self._arrived(message)
            await self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=found["ReceiptHandle"])
        except (WorkersError, ClientError, BotoCoreError, OSError, TimeoutError) as error:
            log.warning("callback not stored", key=message.key, error=str(error))


def read_message(found: dict[str, Any]) -> Message:
    """The message in what SQS gives. Raises `ValueError` for one that no callback has sent."""
    body = json.loads(found["Body"])
    if not isinstance(body, dict):
        raise ValueError("its body is no object")  # noqa: TRY004 - one kind of error for one kind of fault
    key = body.get(KEY)
    if isinstance(key, int | float) and not isinstance(key, bool):
        body[KEY] = json.dumps(key)
    texts: dict[str, Any] = {name: body.get(name) for name in (KEY, TOKEN, EXECUTION, ENTERED)}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"its {name} is no text")
    sent = int(found["Attributes"]["SentTimestamp"])
    return Message(key=texts[KEY], token=texts[TOKEN], execution=texts[EXECUTION], entered=texts[ENTERED], sent=sent)
