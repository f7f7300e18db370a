"""Redriving, against answers as AWS gives them: the call, its token, and the wait for the new end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.account import PREFIX
from tests.proxy import Proxy, answered, opened, refused
from workers.executions import redrive_execution, wait_for_execution
from workers.stepfunctions.protocol import RefusedError

ARN = f"{PREFIX}:execution:adder:one"
STARTED = 1_700_000_000


def described(status: str, **members) -> object:
    common = {"executionArn": ARN, "name": "one", "stateMachineArn": f"{PREFIX}:stateMachine:adder"}
    return answered(**common, startDate=STARTED, status=status, **members)


async def test_an_execution_is_redriven_once_and_its_new_end_awaited(proxy: Proxy, hasty) -> None:
    redriven = STARTED + 60
    proxy.answers["RedriveExecution"] = [
        lambda _: refused("Fault", status=500),
        lambda _: answered(redriveDate=redriven),
    ]
    proxy.answers["DescribeExecution"] = [
        lambda _: described("FAILED"),
        lambda _: described("FAILED", redriveDate=redriven - 30, redriveCount=1),
        lambda _: described("RUNNING", redriveDate=redriven, redriveCount=2),
        lambda _: described("SUCCEEDED", redriveDate=redriven, redriveCount=2, output="3", stopDate=redriven + 1),
    ]
    async with opened() as here:
        at = await redrive_execution("adder:one", account=here)
        done = await wait_for_execution("adder:one", redriven=at, account=here)

    assert at == datetime.fromtimestamp(STARTED, UTC) + timedelta(seconds=60)
    first, second = proxy.called("RedriveExecution")
    assert first == second
    assert first["executionArn"] == ARN
    assert (done.succeeded, done.output, done.redrives) == (True, 3, 2)


async def test_what_cannot_be_redriven_is_refused(proxy: Proxy) -> None:
    proxy.answers["RedriveExecution"] = [lambda _: refused("ExecutionNotRedrivable", "too old")]
    async with opened() as here:
        with pytest.raises(RefusedError, match="ExecutionNotRedrivable: too old"):
            await redrive_execution(ARN, account=here)
