"""Which errors a handler raises, read from its source."""

import pytest

from tests.doctor import handlers
from workers.doctor.raised import raised_by


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (handlers.quiet, set()),
        (handlers.several, {"OrderMissing", "Shop.Renamed", "Shop.Named", "Shop.Own"}),
        (handlers.part, {"OrderMissing", "Shop.Renamed", "Shop.Named", "Shop.Own"}),
        (handlers.deep, {"LookupError"}),
        (handlers.caught, {"Shop.Renamed"}),
        (handlers.passed_on, {"OrderMissing"}),
        (handlers.nested, set()),
        (handlers.wrapped, {"OrderMissing"}),
        (handlers.Callable(), {"WorkersError"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_raised(function, names: set[str]) -> None:
    raised = raised_by(function)
    assert raised.names.keys() == names
    assert raised.whole
    assert all(place.partition("handlers.py:")[2].isdigit() for place in raised.names.values())


@pytest.mark.parametrize("function", [handlers.computed, handlers.computed_name, len, int.__add__])
def test_what_cannot_be_read_is_not_claimed_to_be_known(function) -> None:
    assert not raised_by(function).whole


def test_the_line_is_that_of_the_raise() -> None:
    place = raised_by(handlers.deep).names["LookupError"]
    line = int(place.rpartition(":")[2])
    with open(handlers.__file__) as file:  # noqa: PTH123
        assert file.readlines()[line - 1].strip() == 'raise LookupError("no order")'
