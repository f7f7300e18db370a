"""Machines that need no worker."""

from typing import Any

from tests.account import ROLE, unique
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.results import Registered
from workers.stepfunctions.account import Account

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}


def fails(error: str = "Boom", cause: str = "as the test says", state: str = "Break") -> dict[str, Any]:
    return {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Pass", "Next": state},
            state: {"Type": "Fail", "Error": error, "Cause": cause},
        },
    }


async def registered(here: Account, definition: dict[str, Any], name: str = "machine", **options: Any) -> Registered:
    return await ensure_state_machine(unique(name), definition, role=ROLE, account=here, **options)
