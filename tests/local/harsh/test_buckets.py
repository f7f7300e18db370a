"""The limits on request rates."""

import pytest

from workers.local.errors import ApiError
from workers.local.harsh.buckets import LIMITS, Buckets
from workers.local.requests import operations


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def takes(buckets: Buckets, operation: str) -> int:
    """How many requests go through before one is refused."""
    count = 0
    while not is_refused(buckets, operation):
        count += 1
    return count


def is_refused(buckets: Buckets, operation: str) -> bool:
    try:
        buckets.take(operation)
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


def test_what_has_no_limit_goes_through():
    for _ in range(10_000):
        Buckets("us-east-1", Clock()).take("ListTagsForResource")
