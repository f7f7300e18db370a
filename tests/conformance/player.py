"""Plays recorded cases on an engine: starts their state machines, and acts as their workers did."""

import asyncio
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.account import ROLE, Account, unique

Case = dict[str, Any]
Event = dict[str, Any]

CASES = Path(__file__).parents[2].parent / "shared" / "conformance" / "asl_cases.json"

AT_ONCE = 20
"""Cases played side by side: many of them only wait."""

_ACTIVITY = re.compile(r"arn:aws:states:[\w-]+:\d+:activity:([\w-]+)")


def load_cases() -> list[Case]:
    """The cases that were recorded on AWS; none where the recordings are absent."""
    return json.loads(CASES.read_text()) if CASES.exists() else []


async def play_all(cases: list[Case], client: Any) -> dict[str, list[Event]]:
    """The histories that `cases` leave on the engine behind `client`, by the ids of the cases."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def play_one(case: Case) -> tuple[str, list[Event]]:
        async with limit, asyncio.timeout(60):
            return case["id"], await play(case, client)

    return dict(await asyncio.gather(*map(play_one, cases)))


async def play(case: Case, client: Any) -> list[Event]:
    """Runs a case on the engine behind `client` and returns the history it leaves."""
    definition = json.dumps(case["definition"])
    tasks = [(one, other) for one, other in pairwise(case["events"]) if one["type"] == "ActivityStarted"]
    activity = None
    if tasks:  # without a task in the recording, the activity had been deleted
        name = _ACTIVITY.search(definition)[1]
        activity = (await client.create_activity(name=name))["activityArn"]
    machine = await client.create_state_machine(name=unique("case"), definition=definition, roleArn=ROLE)
    started = await client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(case["input"]))
    for started_event, next_event in tasks:
        await _work(client, activity, started_event["activityStartedEventDetails"], next_event)
    account = Account(client)
    await account.ended(started["executionArn"])
    return await account.events(started["executionArn"])


async def _work(client: Any, activity: str, worker: dict[str, str], event: Event) -> None:
    """Polls for a task and does with it what the recorded worker did."""
    while "taskToken" not in (task := await client.get_activity_task(activityArn=activity, **worker)):
        pass
    if event["type"] == "ActivitySucceeded":
        output = json.dumps(event["activitySucceededEventDetails"]["output"])
        await client.send_task_success(taskToken=task["taskToken"], output=output)
    elif event["type"] == "ActivityFailed":
        details = event["activityFailedEventDetails"]
        cause = json.dumps(details["cause"])
        await client.send_task_failure(taskToken=task["taskToken"], error=details["error"], cause=cause)
