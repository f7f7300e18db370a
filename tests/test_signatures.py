"""What handlers' signatures ask of inputs and promise of results."""

import dataclasses
import datetime as dt
import enum
import functools
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import AliasChoices, BaseModel, Field
from typing_extensions import TypedDict

from tests.ids import shown
from workers.errors import ErrorName
from workers.signatures import InvalidInputError, read_signature
from workers.task import Task


class Order(BaseModel):
    id: int
    note: str | None = None


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Size(TypedDict):
    width: int


class Pair(NamedTuple):
    first: int
    second: str


class Color(enum.Enum):
    RED = "red"


def called(function: Callable[..., Any], value: Any) -> Any:
    """What `function` gives for `value`; the task is whatever holds the input."""
    task = SimpleNamespace(input=value)
    positional, named = read_signature("a", function)[0].read(task)  # type: ignore[arg-type]
    return function(*positional, **named)


def refused(function: Callable[..., Any], value: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        called(function, value)
    assert caught.value.error_name is ErrorName.INVALID_INPUT
    assert caught.value.__cause__ is None
    return str(caught.value)


# --- arguments from keys


def add(x: int, y: int = 10) -> int:
    return x + y


def test_keys_become_arguments_and_defaults_stay_the_functions_own():
    assert called(add, {"x": 1, "y": 2}) == 3
    assert called(add, {"x": 1}) == 11
    assert called(add, {"x": 1, "unknown": object}) == 11


def test_keyword_only_parameters_are_keys_too():
    def f(*, x: int) -> Any:
        return x

    assert called(f, {"x": 1}) == 1


def test_parameters_without_annotations_take_anything():
    def f(x, y=None):
        return x, y

    assert called(f, {"x": [1, {"a": None}]}) == ([1, {"a": None}], None)


@pytest.mark.parametrize(
    ("annotation", "given", "taken"),
    [
        (int, "3", 3),
        (float, 3, 3.0),
        (bool, "true", True),
        (int | None, None, None),
        (list[int], ["1", 2], [1, 2]),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (Decimal, "1.10", Decimal("1.10")),
        (dt.datetime, "2024-05-06T07:08:09Z", dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)),
        (dt.timedelta, 1.5, dt.timedelta(seconds=1.5)),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (Path, "a/b", Path("a/b")),
        (bytes, "ü", "ü".encode()),
        (Color, "red", Color.RED),
        (Literal["a", "b"], "b", "b"),
        (Annotated[int, Field(gt=0)], 1, 1),
        (Order, {"id": 1}, Order(id=1)),
        (Point, {"x": 1}, Point(1, 0)),
        (Size, {"width": 1, "more": 2}, {"width": 1}),
        (Pair, [1, "b"], Pair(1, "b")),
        (list[Order], [{"id": 1}], [Order(id=1)]),
    ],
    ids=shown,
)
def test_inputs_become_what_the_annotation_says(annotation: Any, given: Any, taken: Any):
    def f(x):
        return x

    f.__annotations__["x"] = annotation
    assert called(f, {"x": given}) == taken
    assert type(called(f, {"x": given})) is type(taken)


def test_annotations_in_quotes_are_read():
    def f(x: "int | None") -> "list[int]":
        return [x or 0]

    assert called(f, {"x": "3"}) == [3]


def test_an_alias_names_a_key_that_python_cannot():
    def f(
        from_: Annotated[str, Field(alias="from")], to: Annotated[str, Field(alias="to-address")] = "me", **rest: Any
    ):
        return from_, to, rest

    assert called(f, {"from": "you", "more": 1}) == ("you", "me", {"more": 1})
    assert called(f, {"from": "you", "to-address": "them"}) == ("you", "them", {})
    assert refused(f, {"from_": "you"}) == "the input of activity a does not fit: from: Field required"
    assert refused(f, 1) == "activity a takes an object with keys from, to-address; the input is a number"


def test_an_alias_may_be_one_of_several():
    def f(x: Annotated[int, Field(validation_alias=AliasChoices("x", "X"))]):
        return x

    assert called(f, {"X": 1}) == called(f, {"x": 1}) == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "x: Field required"),
        ({"x": "one"}, "x: Input should be a valid integer, unable to parse string as an integer (found a string)"),
        ({"x": None}, "x: Input should be a valid integer (found null)"),
        ({"x": []}, "x: Input should be a valid integer (found a list)"),
        ({"x": {}}, "x: Input should be a valid integer (found an object)"),
        ({"x": 1.5}, "x: Input should be a valid integer, got a number with a fractional part (found a number)"),
        ({"y": None}, "x: Field required; y: Input should be a valid integer (found null)"),
    ],
    ids=shown,
)
def test_what_does_not_fit_is_said_with_its_place(value: Any, message: str):
    assert refused(add, value) == f"the input of activity a does not fit: {message}"


def test_a_place_deep_inside_is_said_as_a_path():
    def f(orders: list[Order]):
        return orders

    message = refused(f, {"orders": [{"id": 1}, {"id": "x"}]})
    assert "orders.1.id: Input should be a valid integer" in message


def test_of_many_problems_the_first_are_shown():
    def f(xs: list[int]):
        return xs

    message = refused(f, {"xs": ["?"] * 25})
    assert message.count("Input should be") == 10
    assert message.endswith("; and 15 more")


def test_a_message_never_holds_the_value_itself():
    assert "hunter2" not in refused(add, {"x": "hunter2"})


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, "null"), ([1], "a list"), ("x", "a string"), (1, "a number"), (1.5, "a number"), (True, "a boolean")],
)
def test_an_input_that_is_no_object_is_refused(value: Any, found: str):
    assert refused(add, value) == f"activity a takes an object with keys x, y; the input is {found}"


def test_a_function_without_parameters_takes_any_input():
    assert called(lambda: "done", None) == "done"
    assert called(lambda: "done", [1]) == "done"


# --- the rest of the keys, the whole input, the task


def test_kwargs_take_the_keys_that_no_parameter_names():
    def f(x: int, **rest: int):
        return x, rest

    assert called(f, {"x": 1, "y": "2", "z": 3}) == (1, {"y": 2, "z": 3})
    assert called(f, {"x": 1}) == (1, {})
    assert "y: Input should be a valid integer" in refused(f, {"x": 1, "y": "no"})


def test_kwargs_alone_take_the_whole_object():
    def f(**rest: Any):
        return rest

    assert called(f, {"a": 1}) == {"a": 1}
    assert refused(f, []) == "activity a takes an object with keys any name; the input is a list"


def test_a_positional_only_parameter_takes_the_whole_input():
    def f(order: Order, /):
        return order

    def g(value, /):
        return value

    assert called(f, {"id": "7"}) == Order(id=7)
    assert called(g, [1, None]) == [1, None]
    assert refused(f, []).startswith("the input of activity a does not fit: Input should be a valid dictionary")


def test_parameters_beside_the_whole_input_keep_their_defaults():
    def f(value: Any, /, verbose: bool = False):
        return value, verbose

    assert called(f, {"verbose": True}) == ({"verbose": True}, False)


def test_the_task_is_given_to_the_parameter_annotated_with_it():
    def keyed(x: int, task: Task):
        return x, task.input

    def last(order: Order, task: Task, /):
        return order.id, task.input

    def first(task: Task, order: Order, /):
        return order.id, task.input

    def only(context: Task):
        return context.input

    def beside(order: Order, /, *, task: Task):
        return order.id, task.input

    def in_front(task: Task, /, x: int):
        return x, task.input

    for function in (last, first, beside):
        assert called(function, {"id": 1}) == (1, {"id": 1})
    assert called(keyed, {"x": 1, "task": "mine"}) == (1, {"x": 1, "task": "mine"})
    assert called(in_front, {"x": 1}) == (1, {"x": 1})
    assert called(only, "anything") == "anything"


def test_a_task_may_be_optional_for_those_who_call_the_function_themselves():
    def f(x: int, task: Task | None = None):
        return x, task

    value = {"x": 1}
    assert called(f, value)[1].input is value
    assert f(1) == (1, None)


def test_a_parameter_called_task_without_the_annotation_is_a_key():
    def f(task):
        return task

    assert called(f, {"task": "clean up"}) == "clean up"


def test_a_key_called_like_the_task_parameter_does_not_replace_it():
    def f(task: Task, **rest: Any):
        return task.input, rest

    assert called(f, {"task": "mine", "more": 1})[0] == {"task": "mine", "more": 1}


# --- what can be registered


class Adder:
    def __init__(self, more: int) -> None:
        self.more = more

    def __call__(self, x: int) -> int:
        return x + self.more

    def method(self, x: int) -> int:
        return x - self.more

    @staticmethod
    def static(x: int) -> int:
        return x

    @classmethod
    def of_class(cls, x: int) -> int:
        return x


class Remembering:
    """A decorator written as a class, that keeps its function under a name `functools.partial` uses too."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def __call__(self, x: int) -> Any:
        return self.func(str(x))


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (Adder(1), 6),
        (Adder(1).method, 4),
        (Adder.static, 5),
        (Adder.of_class, 5),
        (functools.partial(add, y=1), 6),
        (functools.partial(functools.partial(add), y=2), 7),
        (Remembering(lambda text: text + "!"), "5!"),
        (logged(add), 15),
        (functools.lru_cache(add), 15),
        (lambda x: x, "5"),
    ],
    ids=shown,
)
def test_every_kind_of_callable_is_read(function: Callable[..., Any], result: Any):
    assert called(function, {"x": "5"}) == result


def test_functions_of_the_standard_library_are_read():
    assert called(math.sqrt, 9) == 3
    assert called(len, [1, 2]) == 2
