"""The queue that task tokens come by, and the one for messages that nobody understands."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from workers.errors import UsageError, WorkersError
from workers.services import service_config
from workers.stepfunctions.connection import Connection

MOST_RECEIVES = 10
"""How often a message may be received before it goes to the dead-letter queue."""
_KEPT = 14 * 86_400
"""Seconds: as long as SQS keeps a message at most."""
_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


def open_sqs(connection: Connection) -> Any:
    """A client whose long polls are waited for."""
    return connection.client("sqs", service_config(read_timeout=40))


async def create_queues(sqs: Any, name: str, *, visibility: float) -> str:
    """Creates `NAME` and `NAME-dlq`, or brings them to this state; returns the URL of the first."""
    dead = await _created(sqs, f"{name}-dlq", {"MessageRetentionPeriod": str(_KEPT)})
    found = await sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": MOST_RECEIVES}
    attributes = {
        "MessageRetentionPeriod": str(_KEPT),
        "VisibilityTimeout": str(max(1, round(visibility))),
        "RedrivePolicy": json.dumps(redrive),
    }
    return await _created(sqs, name, attributes)


async def queue_url(sqs: Any, name: str, *, made: str = "create it with `await callbacks.create()`") -> str:
    """The URL of the queue. Raises `UsageError` where there is none, saying how it is `made`, and `WorkersError`."""
    try:
        return str((await sqs.get_queue_url(QueueName=name))["QueueUrl"])
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise UsageError(f"there is no queue {name}: {made}") from None
        raise WorkersError(f"queue {name}: {error}") from error
    except BotoCoreError as error:
        raise WorkersError(f"queue {name}: {error}") from error


async def _created(sqs: Any, name: str, attributes: dict[str, str]) -> str:
    try:
        url = str((await sqs.create_queue(QueueName=name))["QueueUrl"])
        await sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    except (ClientError, BotoCoreError) as error:
        raise WorkersError(f"queue {name} cannot be created: {error}") from error
    return url
