"""How often one looks at an execution that is waited for."""

import random
from itertools import pairwise
from types import SimpleNamespace

import pytest

from tests.account import PREFIX
from tests.clock import stopped_clock
from tests.proxy import Proxy, answered, opened
from workers.executions import wait_for_execution, waiting
from workers.executions.looks import pause

LOOKS = 80


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, 0.1), (1, 0.1), (5, 0.5), (60, 6.0), (100, 10.0), (101, 10.0), (1e6, 10.0)]
)
def test_a_pause_is_a_tenth_of_what_was_waited_within_limits(waited: float, seconds: float) -> None:
    pauses = [pause(waited) for _ in range(200)]
    assert 0.8 * seconds <= min(pauses) < max(pauses) <= seconds  # not all who wait look at the same time


async def test_pauses_grow_while_an_execution_runs(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = f"{PREFIX}:execution:long:one"
    running = {"executionArn": arn, "stateMachineArn": f"{PREFIX}:stateMachine:long", "name": "one", "startDate": 1}
    proxy.answers["DescribeExecution"] = [
        *[lambda _: answered(**running, status="RUNNING")] * LOOKS,
        lambda _: answered(**running, status="SUCCEEDED", stopDate=2, output="{}"),
    ]
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    clock = stopped_clock(monkeypatch)
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: clock.now))
    async with opened() as here:
        assert (await wait_for_execution(arn, account=here)).succeeded
    assert len(clock.waits) == LOOKS
    assert (clock.waits[0], clock.waits[-1]) == (0.1, 10.0)
    assert all(earlier <= later for earlier, later in pairwise(clock.waits))
