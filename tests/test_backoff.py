"""Waiting longer after each failure in a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.backoff import Backoff


@pytest.mark.parametrize("failures", range(1, 12))
def test_each_wait_is_drawn_from_the_upper_half_of_twice_the_one_before(failures: int):
    backoff = Backoff(initial=0.2, maximum=5.0)
    waits = [backoff.next() for _ in range(failures)]
    ceiling = min(5.0, 0.2 * 2 ** (failures - 1))
    assert ceiling / 2 <= waits[-1] <= ceiling
    assert backoff.failures == failures


def test_after_a_success_it_begins_anew():
    backoff = Backoff(initial=0.2, maximum=5.0)
    for _ in range(10):
        backoff.next()
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next() <= 0.2


def test_two_workers_do_not_come_back_together():
    one, other = (Backoff(initial=1.0, maximum=60.0) for _ in range(2))
    assert [one.next() for _ in range(5)] != [other.next() for _ in range(5)]


@given(initial=st.floats(0.001, 10), maximum=st.floats(0.001, 600), failures=st.integers(0, 10**9))
def test_a_year_of_failures_still_waits_between_half_the_maximum_and_the_maximum(
    initial: float, maximum: float, failures: int
):
    backoff = Backoff(initial=initial, maximum=maximum)
    backoff.failures = failures
    assert 0 < backoff.next() <= maximum
    backoff.failures = max(failures, 30)
    assert maximum / 2 <= backoff.next() <= maximum
