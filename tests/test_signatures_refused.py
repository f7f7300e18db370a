"""Signatures that could never work are refused at registration, in one line that names activity and parameter."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Final, NoReturn

import pytest
from pydantic import BaseModel, Field

from tests.ids import shown
from workers.errors import RegistrationError
from workers.signatures import read_signature
from workers.task import Task


def refusal(function: Any) -> str:
    with pytest.raises(RegistrationError) as caught:
        read_signature("a", function)
    message = str(caught.value)
    assert message.startswith("activity a: ")
    assert "\n" not in message
    return message.removeprefix("activity a: ")


class Adder:
    def method(self, x: int) -> int:
        return x


def takes_args(*args): ...
def takes_two_inputs(a, b, /): ...
def takes_two_tasks(a: Task, b: Task | None): ...
def takes_tasks(**tasks: Task): ...
def wants_more(order, /, x, *, y): ...


def yields():
    yield 1


async def yields_later():
    yield 1


def unknown_name(x: "Nowhere"): ...  # type: ignore[name-defined]  # noqa: F821 - what the test is about
def unknown_attribute(x: "json.Nowhere"): ...  # type: ignore[name-defined]  # the same
def broken_quotes(x: "list[int"): ...  # type: ignore[valid-type]  # noqa: F722 - the same


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (takes_args, "takes_args takes *args: an input has keys, not positions; name the parameters"),
        (
            takes_two_inputs,
            "takes_two_inputs has several positional-only parameters (a, b): only one can be the input",
        ),
        (takes_two_tasks, "takes_two_tasks takes two tasks: there is only one"),
        (takes_tasks, "takes_tasks takes the task as **tasks: name one parameter for it"),
        (
            wants_more,
            "wants_more takes the whole input as 'order', so nothing is left for x, y: give them defaults, or drop",
        ),
        (yields, "yields is a generator: a handler returns one result"),
        (yields_later, "yields_later is a generator: a handler returns one result"),
        (Adder, "Adder is a class: register a function or an instance with `__call__`"),
        (Adder.method, "Adder.method is a method without its object: register `instance.method`"),
        (None, "None cannot be called: register a function"),
        ("add", "'add' cannot be called: register a function"),
        (unknown_name, "unknown_name has a signature that cannot be read: name 'Nowhere' is not defined"),
        (unknown_attribute, "unknown_attribute has a signature that cannot be read: module 'json' has no attribute"),
        (broken_quotes, "broken_quotes has a signature that cannot be read: "),
    ],
    ids=shown,
)
def test_a_signature_that_could_never_work(function: Any, message: str):
    assert json  # the annotation in quotes looks for it
    assert refusal(function).startswith(message)


class Unfinished(BaseModel):
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - what the test is about


@dataclasses.dataclass
class AlsoUnfinished:
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - what the test is about


class Hostile:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise RuntimeError("never")


NEVER = [
    (SimpleNamespace, "Unable to generate pydantic-core schema for <class 'types.SimpleNamespace'>"),
    (Iterator[int], "Unable to generate pydantic-core schema for collections.abc.Iterator[int]"),
    (5, "Unable to generate pydantic-core schema for 5"),
    ((int, str), "Unable to generate pydantic-core schema for (<class 'int'>, <class 'str'>)"),
    (ClassVar[int], "Unable to generate pydantic-core schema for typing.ClassVar[int]"),
    (Annotated[str, Field(pattern="(")], 'Error building "str" validator: SchemaError: regex parse error'),
    (Unfinished, "name 'Nowhere' is not defined"),
    (AlsoUnfinished, "name 'Nowhere' is not defined"),
    (list[Unfinished], "name 'Nowhere' is not defined"),
    (Hostile, "never"),
]


def annotated(function: Callable[..., Any], **annotations: Any) -> Callable[..., Any]:
    function.__annotations__.update({"return" if name == "result" else name: a for name, a in annotations.items()})
    return function


@pytest.mark.parametrize(("annotation", "why"), NEVER, ids=shown)
def test_a_type_that_json_can_never_become(annotation: Any, why: str):
    def keyed(w: int, x): ...
    def whole(x, /): ...
    def rest(**x): ...

    for function, place in ((keyed, "parameter x"), (whole, "parameter x"), (rest, "**x")):
        message = refusal(annotated(function, x=annotation))
        assert f"{function.__qualname__}: {place} has a type that JSON cannot become: " in message
        assert why in message


@pytest.mark.parametrize(("annotation", "why"), [*NEVER, (NoReturn, "typing.NoReturn")], ids=shown)
def test_a_type_that_can_never_become_json(annotation: Any, why: str):
    def f(): ...

    message = refusal(annotated(f, result=annotation))
    assert f"{f.__qualname__}: the result has a type that JSON cannot become: " in message
    assert why in message


def test_a_type_that_is_wrong_only_among_parameters_is_refused_too():
    def f(x): ...

    assert "has parameters that JSON cannot become: " in refusal(annotated(f, x=Final[int]))
