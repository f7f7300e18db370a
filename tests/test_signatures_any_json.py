"""Whatever JSON a task brings, a signature takes it or refuses it; nothing else happens."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from tests.test_signatures import Color, Order, Pair, Point, Size, add, called, refused
from workers.signatures import InvalidInputError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, "9" * 5000, "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from("abcde"), inner, max_size=4)
    ),
    max_leaves=12,
)


def all_sorts(
    a: int | list[Order] = 0,
    b: dict[str, float] | None = None,
    c: dt.datetime | dt.timedelta | Decimal = Decimal(0),
    d: Point | Size | Pair | None = None,
    e: Literal["x"] | Color | uuid.UUID | bytes | set[str] = "x",
    **rest: int | dict[int, Any],
):
    return a


def whole(value: list[Any] | dict[str, "int | list[str] | Order"] | Point, /):
    return value


class Strict(BaseModel, extra="forbid", strict=True):
    a: int
    b: list["Strict"] = []

    @field_validator("a")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


def strict(value: Strict, /):
    return value


@pytest.mark.parametrize("function", [all_sorts, whole, strict, add])
@given(value=JSON)
def test_no_json_raises_anything_but_invalid_input(function: Callable[..., Any], value: Any):
    with contextlib.suppress(InvalidInputError):
        called(function, value)


def test_an_input_nested_beyond_any_use_is_refused():
    value: Any = 1
    for _ in range(100_000):
        value = {"a": 0, "b": [value]}
    refused(strict, value)
