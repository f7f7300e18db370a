"""Plays a recorded case on an engine: starts its state machine, and acts as its workers did."""

import asyncio
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

Case = dict[str, Any]

CASES = Path(__file__).parents[2].parent / "shared" / "conformance" / "asl_cases.json"
ROLE = "arn:aws:iam::123456789012:role/states"

_ACTIVITY = re.compile(r"arn:aws:states:[\w-]+:\d+:activity:([\w-]+)")
_DETAILS = {"ActivitySucceeded": "activitySucceededEventDetails", "ActivityFailed": "activityFailedEventDetails"}


def load_cases() -> list[Case]:
    """The recorded cases; none where the recordings are absent."""
    return json.loads(CASES.read_text()) if CASES.exists() else []


async def play(case: Case, client: Any, name: str) -> list[dict[str, Any]]:
    """Runs a case on the engine behind `client` and returns the history it left."""
    definition = json.dumps(case["definition"])
    tasks = _tasks(case["events"])
    activities = {
        (await client.create_activity(name=name))["activityArn"]
        for name in set(_ACTIVITY.findall(definition))
        if tasks  # without a task in the recording, the activity had been deleted
    }
    machine = await client.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    started = await client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(case["input"]))
    worker = asyncio.create_task(_work(client, next(iter(activities), ""), tasks))
    arn = started["executionArn"]
    while (await client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        await asyncio.sleep(0.05)
    await worker
    return (await client.get_execution_history(executionArn=arn, maxResults=1000))["events"]


def _tasks(events: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What the worker got and what it did: pairs of ActivityStarted and the event after it."""
    return [(one, other) for one, other in pairwise(events) if one["type"] == "ActivityStarted"]


async def _work(client: Any, activity: str, tasks: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for started, ended in tasks:
        task = await client.get_activity_task(activityArn=activity, **started["activityStartedEventDetails"])
        details = ended.get(_DETAILS.get(ended["type"], ""), {})
        if ended["type"] == "ActivitySucceeded":
            await client.send_task_success(taskToken=task["taskToken"], output=json.dumps(details["output"]))
        elif ended["type"] == "ActivityFailed":
            cause = json.dumps(details["cause"])
            await client.send_task_failure(taskToken=task["taskToken"], error=details["error"], cause=cause)
