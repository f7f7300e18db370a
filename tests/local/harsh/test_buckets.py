"""The limits on request rates."""

import json
from typing import Any

import pytest

from tests.account import ROLE
from tests.local.helpers import PASS
from workers.arns import Place
from workers.local.clock import ManualClock
from workers.local.errors import ApiError
from workers.local.harsh.buckets import LIMITS, Buckets, Transitions
from workers.local.machines import Revision, StateMachine, Target
from workers.local.region import Region
from workers.local.requests import operations


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def takes(buckets: Buckets, operation: str, *, express: bool = False) -> int:
    """How many requests go through before one is refused."""
    count = 0
    while not is_refused(buckets, operation, express=express):
        count += 1
    return count


def is_refused(buckets: Buckets, operation: str, *, express: bool = False) -> bool:
    try:
        buckets.take(operation, express=express)
    except ApiError as error:
        return (error.code, error.message) == ("ThrottlingException", "Rate exceeded")
    return False


def test_a_bucket_empties_and_fills_again():
    clock = Clock()
    buckets = Buckets("us-east-1", clock)
    assert takes(buckets, "ListExecutions") == 200
    clock.seconds += 3
    assert takes(buckets, "ListExecutions") == 15
    clock.seconds += 0.1
    assert takes(buckets, "ListExecutions") == 0
    clock.seconds += 0.1
    assert takes(buckets, "ListExecutions") == 1
    clock.seconds += 1_000_000
    assert takes(buckets, "ListExecutions") == 200


def test_each_operation_has_a_bucket_of_its_own_and_most_regions_have_smaller_ones():
    buckets = Buckets("eu-central-1", Clock())
    assert takes(buckets, "ListExecutions") == 100
    assert takes(buckets, "StopExecution") == 500


@pytest.mark.parametrize("operation", sorted(LIMITS))
def test_the_limits_are_of_operations_that_exist(operation: str):
    assert operation in operations()


def test_express_executions_have_a_bucket_of_their_own():
    buckets = Buckets("us-east-1", Clock())
    assert takes(buckets, "StartExecution") == 1_300
    assert takes(buckets, "StartExecution", express=True) == 6_000


def test_state_transitions_that_come_too_fast_are_delayed():
    clock = Clock()
    transitions = Transitions("eu-central-1", clock=clock)
    assert [transitions() for _ in range(800)] == [0] * 800
    assert [transitions() for _ in range(2)] == [1 / 800, 2 / 800]
    clock.seconds += 2
    assert transitions() == 0


async def test_an_execution_waits_for_its_transitions_unless_it_is_express():
    time = ManualClock()
    nothing: Any = None
    place = Place("aws", "us-east-1", "123456789012")
    region = Region(
        place,
        clock=time,
        new_services=nothing,
        told=lambda _: None,
        poll_hold=0,
        keep=10,
        paces=lambda _: lambda: 5.0,
    )
    revision = Revision(json.dumps(PASS), ROLE, {}, {}, {}, updated=0)
    kinds = ("STANDARD", "EXPRESS")
    started = [
        region.start(
            Target(StateMachine(place.state_machine(kind), kind, kind, revision, 0), revision),
            "name",
            "{}",
            trace_header=None,
        )
        for kind in kinds
    ]
    await time.advance(4.9)
    assert [execution.status for execution in started] == ["RUNNING", "SUCCEEDED"]
    await time.advance(0.1)
    assert [execution.status for execution in started] == ["SUCCEEDED", "SUCCEEDED"]


def test_what_has_no_limit_goes_through():
    for _ in range(10_000):
        Buckets("us-east-1", Clock()).take("ListTagsForResource")
