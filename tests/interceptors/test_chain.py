"""Interceptors around a handler become one call; what is no interceptor is refused."""

import functools
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from interceptors.chain import CallNext, check_interceptors, compose
from tests.ids import shown
from workers.errors import RegistrationError
from workers.task import Task


def make(value: Any = None) -> Task:
    return Task(activity="a", token="t", input=value, run=SimpleNamespace())  # type: ignore[arg-type]


async def handler(task: Task) -> Any:
    return ["handler", task.input]


class Noting:
    """Notes when it is entered and left."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        self.notes.append(f"{self.name} in")
        try:
            return [self.name, *await call_next(task)]
        finally:
            self.notes.append(f"{self.name} out")


async def test_without_interceptors_the_chain_is_the_handler():
    assert compose([], handler) is handler


async def test_the_first_listed_is_the_outermost():
    notes: list[str] = []
    chain = compose([Noting("a", notes), Noting("b", notes)], handler)
    assert await chain(make(1)) == ["a", "b", "handler", 1]
    assert notes == ["a in", "b in", "b out", "a out"]


async def test_a_chain_is_composed_once_and_runs_often():
    chain = compose((Noting(name, []) for name in "abc"), handler)
    for value in (1, 2):
        assert await chain(make(value)) == ["a", "b", "c", "handler", value]


async def test_an_interceptor_may_change_the_input_and_the_result():
    async def doubling(task: Task, call_next: CallNext) -> Any:
        return [await call_next(task.replace(input=task.input * 2))] * 2

    assert await compose([doubling], handler)(make(2)) == [["handler", 4], ["handler", 4]]


async def test_an_interceptor_may_answer_without_the_handler():
    async def cached(task: Task, call_next: CallNext) -> Any:
        return "from the cache"

    never = AsyncMock()
    assert await compose([cached], never)(make()) == "from the cache"
    never.assert_not_called()


async def test_an_interceptor_may_call_several_times():
    async def twice(task: Task, call_next: CallNext) -> Any:
        return [await call_next(task), await call_next(task.replace(input="again"))]

    notes: list[str] = []
    assert await compose([twice, Noting("b", notes)], handler)(make("first")) == [
        ["b", "handler", "first"],
        ["b", "handler", "again"],
    ]
    assert notes == ["b in", "b out"] * 2


async def test_errors_pass_through_and_can_be_turned_into_results():
    async def fails(task: Task) -> Any:
        raise KeyError("gone")

    async def forgives(task: Task, call_next: CallNext) -> Any:
        try:
            return await call_next(task)
        except KeyError:
            return "default"

    notes: list[str] = []
    with pytest.raises(KeyError):
        await compose([Noting("a", notes)], fails)(make())
    assert notes == ["a in", "a out"]
    assert await compose([forgives, Noting("b", notes)], fails)(make()) == "default"


# --- what is an interceptor


class Methods:
    async def __call__(self, task: Task, call_next: CallNext) -> Any:
        return await call_next(task)

    async def method(self, task: Task, call_next: CallNext) -> Any:
        return await call_next(task)

    @staticmethod
    async def static(task: Task, call_next: CallNext) -> Any:
        return await call_next(task)


async def with_options(task: Task, call_next: CallNext, *, times: int = 1) -> Any:
    return await call_next(task)


async def with_required(task: Task, call_next: CallNext, *, times: int) -> Any:
    return await call_next(task)


@pytest.mark.parametrize(
    "interceptor",
    [
        Methods(),
        Methods().method,
        Methods.static,
        with_options,
        functools.partial(with_required, times=2),
        AsyncMock(),
    ],
    ids=shown,
)
async def test_every_async_callable_of_two_arguments_is_one(interceptor: Any):
    assert check_interceptors([interceptor], "here") == (interceptor,)
    await compose(check_interceptors([interceptor], "here"), handler)(make(1))


def plain(task: Task, call_next: CallNext) -> Any: ...
async def of_one(task: Task) -> Any: ...
async def of_three(task: Task, call_next: CallNext, more: Any) -> Any: ...
async def streams(task: Task, call_next: CallNext) -> Any:
    yield task


class PlainCall:
    def __call__(self, task: Task, call_next: CallNext) -> Any: ...


@pytest.mark.parametrize(
    ("interceptor", "problem"),
    [
        (None, "(None) cannot be called: it must be an async function of (task, call_next)"),
        ("name", "('name') cannot be called: it must be an async function of (task, call_next)"),
        (Methods, "(Methods) is a class: list an instance of it"),
        (plain, "(plain) is not async: write `async def` and return `await call_next(task)`"),
        (PlainCall(), "is not async: write `async def` and return `await call_next(task)`"),
        (streams, "(streams) is not async: write `async def` and return `await call_next(task)`"),
        (of_one, "(of_one) must take two arguments: (task, call_next)"),
        (of_three, "(of_three) must take two arguments: (task, call_next)"),
        (with_required, "(with_required) must take two arguments: (task, call_next)"),
        (Methods.method, "(Methods.method) must take two arguments: (task, call_next)"),
    ],
    ids=shown,
)
def test_what_is_none_is_refused_with_its_place(interceptor: Any, problem: str):
    with pytest.raises(RegistrationError) as caught:
        check_interceptors([with_options, interceptor], "activity add")
    assert str(caught.value).startswith("activity add: interceptor 1 (")
    assert str(caught.value).endswith(problem)
