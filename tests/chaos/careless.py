"""A worker as many are written: it finishes what it runs, but cancels its polls at SIGTERM.

It stands beside ours to show that the proxy takes a task from who drops a poll. Run as a module with an activity's
ARN; AWS is where the environment says.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

_POLLS = 2


async def _poll(client: Any, activity: str) -> None:
    while True:
        with suppress(client.exceptions.ActivityDoesNotExist):
            received = await client.get_activity_task(activityArn=activity)
            if token := received.get("taskToken"):
                # Not cancelled with the polls, and short: it ends before the process does.
                await asyncio.shield(client.send_task_success(taskToken=token, output=received["input"]))


async def main(activity: str) -> None:
    """Polls until SIGTERM."""
    config = AioConfig(read_timeout=70, retries={"total_max_attempts": 1})
    async with get_session().create_client("stepfunctions", config=config) as client, asyncio.TaskGroup() as group:
        polls = [group.create_task(_poll(client, activity)) for _ in range(_POLLS)]
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: [poll.cancel() for poll in polls])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
