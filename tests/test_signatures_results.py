"""What handlers return becomes JSON-ready data, or is refused."""

import dataclasses
import datetime as dt
import enum
import json
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from tests.ids import shown
from workers.errors import ErrorName
from workers.signatures import InvalidOutputError, read_signature


class Receipt(BaseModel):
    id: int
    paid: dt.datetime | None = None
    lines: list["Receipt"] = Field(default_factory=list)


class Signed(Receipt):
    signature: str = "secret"


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.0


class Size(TypedDict):
    width: int


class Color(enum.Enum):
    RED = "red"


NOTHING = object()


def dumped(returned: Any, annotation: Any = NOTHING) -> Any:
    def f():
        return returned

    if annotation is not NOTHING:
        f.__annotations__["return"] = annotation
    return read_signature("a", f)[1].dump(f())


def refused(returned: Any, annotation: Any = NOTHING) -> str:
    with pytest.raises(InvalidOutputError) as caught:
        dumped(returned, annotation)
    assert caught.value.error_name is ErrorName.INVALID_OUTPUT
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


PAID = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("returned", "json_ready"),
    [
        (None, None),
        ("ü", "ü"),
        (10**100, 10**100),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        (b"bytes", "bytes"),
        (PAID, "2024-05-06T07:08:09Z"),
        (dt.timedelta(seconds=90), "PT1M30S"),
        (Decimal("1.10"), "1.10"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Path("a/b"), "a/b"),
        (Color.RED, "red"),
        (Point(1), {"x": 1, "y": 0.0}),
        (Receipt(id=1, paid=PAID), {"id": 1, "paid": "2024-05-06T07:08:09Z", "lines": []}),
        ([{"deep": Point(1, 2)}], [{"deep": {"x": 1, "y": 2.0}}]),
        ((number for number in (1, 2)), [1, 2]),
    ],
    ids=shown,
)
def test_without_an_annotation_everything_that_json_can_show_is_shown(returned: Any, json_ready: Any):
    assert dumped(returned) == json_ready


@pytest.mark.parametrize(
    ("returned", "annotation", "json_ready"),
    [
        (None, None, None),
        ("3", int, 3),
        ((1, 2), list[int], [1, 2]),
        ({"id": "1"}, Receipt, {"id": 1, "paid": None, "lines": []}),
        ({"x": "1"}, Point, {"x": 1, "y": 0.0}),
        ({"width": 1, "more": 2}, Size, {"width": 1}),
        (None, Receipt | None, None),
        ([Receipt(id=1)], list[Receipt], [{"id": 1, "paid": None, "lines": []}]),
        (Signed(id=1), Receipt, {"id": 1, "paid": None, "lines": []}),
        ({"anything": {1}}, Any, {"anything": [1]}),
    ],
    ids=shown,
)
def test_with_an_annotation_the_result_is_checked_and_cut_to_it(returned: Any, annotation: Any, json_ready: Any):
    assert dumped(returned, annotation) == json_ready


@pytest.mark.parametrize(
    ("returned", "annotation", "message"),
    [
        ("x", int, "Input should be a valid integer, unable to parse string as an integer (found a string)"),
        (1, None, "Input should be None (found a number)"),
        ({"id": "x"}, Receipt, "id: Input should be a valid integer, unable to parse string as an integer"),
        (object(), int, "Input should be a valid integer (found object)"),
    ],
    ids=shown,
)
def test_a_result_of_another_type_is_refused(returned: Any, annotation: Any, message: str):
    expected = f"what activity a returned does not fit its annotation: {message}"
    assert refused(returned, annotation).startswith(expected)


def circle() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (object(), "Unable to serialize unknown type: <class 'object'>"),
        ({"deep": [print]}, "Unable to serialize unknown type: <class 'builtin_function_or_method'>"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0"),
        (circle(), "Circular reference detected"),
    ],
    ids=shown,
)
def test_what_json_cannot_hold_is_refused(returned: Any, message: str):
    assert refused(returned).startswith(f"activity a returned what JSON cannot hold: {message}")


@pytest.mark.parametrize("returned", [math.nan, [math.inf], {"a": -math.inf}, Point(1, math.nan)], ids=shown)
def test_numbers_that_are_none_are_not_made_null(returned: Any):
    with pytest.raises(ValueError, match="not JSON compliant"):
        json.dumps(dumped(returned), allow_nan=False)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.complex_numbers()
    | st.datetimes()
    | st.builds(object),
    lambda inner: (
        st.lists(inner)
        | st.sets(st.text() | st.integers())
        | st.dictionaries(st.none() | st.text() | st.binary() | st.tuples(st.integers()) | st.floats(), inner)
    ),
    max_leaves=10,
)


@given(ANYTHING)
def test_whatever_is_returned_is_json_ready_or_refused(returned: Any):
    try:
        ready = dumped(returned)
    except InvalidOutputError:
        return
    json.dumps(ready)


def raises(error: Exception) -> Callable[..., Any]:
    def broken():
        yield 1
        raise error

    return broken


def test_an_error_of_the_users_own_is_not_taken_for_ours():
    with pytest.raises(ZeroDivisionError):
        dumped(raises(ZeroDivisionError())())
