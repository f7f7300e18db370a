"""How many polls an activity keeps open is said by three numbers, which must fit each other wherever they are said."""

from collections.abc import Callable, Mapping
from itertools import combinations

ORDER = ("min_pollers", "initial_pollers", "pollers")
"""From the smallest: polls of an activity that has nothing to do, those at the start, and those at most."""


def poller_problem(counts: Mapping[str, int | None], named: Callable[[str], str] = str) -> str | None:
    """What is wrong with numbers of which one that must be smaller is larger; a number that is None was not said.

    `named`: what whoever said a number calls it.
    """
    said = [(name, count) for name in ORDER if (count := counts.get(name)) is not None]
    for (smaller, low), (larger, high) in combinations(said, 2):
        if low > high:
            order = ", ".join(map(named, ORDER))
            return f"{named(smaller)} is {low} and {named(larger)} {high}: they must rise in the order {order}"
    return None
