"""What was learned from Stepwise is tested: the numbers of its cases and bugs are in the names of our tests."""

import re
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.house.modules import ROOT

CASES = {1, 2, 3, *range(8, 19), *range(22, 30)}
BUGS = {1, *range(8, 18), 20, 21}
"""Of its list "bugs seen in code", section 4.1 of what is known of it."""
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


def numbers(words: str) -> Iterator[int]:
    """`def test_stepwise_cases_18_and_28_…` has 18 and 28."""
    found = re.findall(rf"def test_{words}_((?:\d+_(?:and_)?)+)", TESTS)
    yield from map(int, chain.from_iterable(re.findall(r"\d+", one) for one in found))


@pytest.mark.parametrize(("words", "wanted"), [("stepwise_cases?", CASES), ("bug_4_1", BUGS)], ids=["cases", "bugs"])
def test_every_number_is_found(words: str, wanted: set[int]):
    assert wanted - set(numbers(words)) == set()


def test_every_group_of_the_embedded_manager_and_of_commands_is_found():
    assert set(range(54, 60)) <= set(map(int, re.findall(r"def test_(5\d)_", TESTS)))
