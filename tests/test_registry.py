"""The registry: which function handles which activity, and what is refused there."""

import functools
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.ids import shown
from workers import Registry
from workers.errors import RegistrationError, UsageError
from workers.handlers import Kind
from workers.task import Task

ARN = "arn:aws:states:eu-central-1:123456789012:activity:add"


async def outer(task: Task, call_next: Any) -> Any:
    return await call_next(task)


async def inner(task: Task, call_next: Any) -> Any:
    return await call_next(task)


def add(x: int, y: int) -> int:
    return x + y


async def add_later(x: int, y: int) -> int:
    return x + y


class Adder:
    async def __call__(self, x: int) -> int:
        return x + 1


def refused(name: Any, function: Any = add, /, **options: Any) -> str:
    with pytest.raises(RegistrationError) as caught:
        Registry().add(name, function, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_function_is_registered_under_its_name_and_stays_what_it_is():
    registry = Registry()
    assert registry.activity(add) is add
    assert registry.activity("sum")(add) is add
    assert registry.activity()(add_later) is add_later
    assert [handler.name for handler in registry] == ["add", "sum", "add_later"]
    assert registry["sum"].function is add
    assert ("sum" in registry, "other" in registry, len(registry)) == (True, False, 3)
    assert repr(registry) == "Registry(add, sum, add_later)"


def test_a_function_is_registered_without_a_decorator():
    registry = Registry()
    registry.add("echo", lambda event, /: event, concurrency=2)
    assert registry["echo"].concurrency == 2


def test_an_activity_may_be_named_by_its_arn():
    registry = Registry()
    registry.add(ARN, add)
    assert registry[ARN].name == ARN


def test_an_unknown_activity_is_refused_with_those_that_are_known():
    registry = Registry()
    with pytest.raises(UsageError, match=r"^no handler is registered for activity 'x'; registered: none$"):
        registry["x"]
    registry.add("b", add)
    registry.add("a", add)
    with pytest.raises(UsageError, match=r"registered: a, b$"):
        registry["x"]


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (add, Kind.THREAD),
        (add_later, Kind.ASYNC),
        (functools.partial(add, y=1), Kind.THREAD),
        (functools.partial(add_later, y=1), Kind.ASYNC),
        (Adder(), Kind.ASYNC),
        (Adder().__call__, Kind.ASYNC),
        (lambda: 1, Kind.THREAD),
    ],
    ids=shown,
)
def test_async_functions_run_in_the_loop_and_others_in_threads(function: Any, kind: Kind):
    registry = Registry()
    registry.add("a", function)
    assert registry["a"].kind is kind


def test_process_true_runs_a_plain_function_in_a_process():
    registry = Registry()
    registry.add("a", add, process=True)
    registry.add("b", add, process=False)
    assert (registry["a"].kind, registry["b"].kind) == (Kind.PROCESS, Kind.THREAD)
    assert "process=True needs a plain one" in refused("a", add_later, process=True)

    def with_task(task: Task) -> None: ...

    assert "cannot take the Task" in refused("a", with_task, process=True)


# --- options


OPTIONS = {
    "concurrency": 3,
    "pollers": 4,
    "min_pollers": 2,
    "initial_pollers": 3,
    "heartbeat": 0,
    "timeout": 1.5,
    "rate": 10,
    "breaker": 5,
}


def test_options_are_kept_and_left_out_ones_are_the_workers():
    registry = Registry()
    registry.activity("all", **OPTIONS)(add)
    registry.activity("none")(add)
    assert {name: getattr(registry["all"], name) for name in OPTIONS} == OPTIONS
    assert {name: getattr(registry["none"], name) for name in OPTIONS} == dict.fromkeys(OPTIONS)


def test_options_beside_a_function_are_kept_too():
    registry = Registry()
    registry.activity(add, concurrency=3)  # type: ignore[call-overload]  # as a call, not as a decorator
    assert registry["add"].concurrency == 3


@pytest.mark.parametrize("name", ["concurrency", "pollers", "min_pollers", "initial_pollers", "breaker"])
@pytest.mark.parametrize("value", ["3", True, 2.5, 2.0, 0, -1, float("nan"), float("inf"), None, [1]], ids=shown)
def test_counts_are_whole_numbers_from_one(name: str, value: Any):
    assert refused("a", **{name: value}).startswith(f"activity a: {name}: Input should be ")


@pytest.mark.parametrize("name", ["heartbeat", "timeout", "rate"])
@pytest.mark.parametrize("value", ["3", True, -1, float("nan"), float("inf"), None, [1]], ids=shown)
def test_seconds_and_rates_are_finite_numbers(name: str, value: Any):
    assert refused("a", **{name: value}).startswith(f"activity a: {name}: Input should be ")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"min_pollers": 3, "pollers": 2}, "min_pollers is 3 and pollers 2"),
        ({"initial_pollers": 5, "pollers": 4}, "initial_pollers is 5 and pollers 4"),
        ({"min_pollers": 3, "initial_pollers": 2}, "min_pollers is 3 and initial_pollers 2"),
    ],
    ids=str,
)
def test_numbers_of_polls_that_do_not_fit_each_other_are_refused(options: dict[str, Any], why: str):
    order = "they must rise in the order min_pollers, initial_pollers, pollers"
    assert refused("a", **options) == f"activity a: {why}: {order}"


def test_a_timeout_of_nothing_and_a_rate_of_nothing_are_refused():
    assert refused("a", timeout=0) == "activity a: timeout: Input should be greater than 0 (found a number)"
    assert refused("a", rate=0) == "activity a: rate: Input should be greater than 0 (found a number)"


@pytest.mark.parametrize("value", [1, "yes", None])
def test_process_is_a_boolean(value: Any):
    assert refused("a", process=value).startswith("activity a: process: Input should be a valid boolean")


def test_unknown_options_are_refused():
    assert refused("a", concurency=3) == "activity a: concurency: Extra inputs are not permitted (found a number)"


# --- names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the activity name is empty: give it 1 to 80 characters"),
        ("a b", "the activity name 'a b' holds ' ', which AWS refuses: use letters, digits, - and _"),
        ("x" * 81, f"the activity name '{'x' * 81}' has 81 characters: AWS allows 80"),
        ("arn:aws:lambda:x", "'arn:aws:lambda:x' is not the ARN of an activity: arn:PARTITION:states:"),
        (ARN + " 2", "the activity name 'add 2' holds ' ', which AWS refuses: use letters, digits, - and _"),
        (3, "3 is no name for an activity: give it a text"),
        (None, "None is no name for an activity: give it a text"),
    ],
)
def test_a_name_that_aws_would_refuse(name: Any, message: str):
    assert refused(name).startswith(message)


@pytest.mark.parametrize("function", [functools.partial(add, y=1), Adder()], ids=["partial", "instance"])
def test_what_has_no_name_needs_one(function: Any):
    with pytest.raises(RegistrationError, match="has no name of its own: give the activity one"):
        Registry().activity(function)
    with pytest.raises(RegistrationError, match="has no name of its own: give the activity one"):
        Registry().activity()(function)
    Registry().activity("named")(function)


def test_a_lambda_needs_a_name_that_aws_takes():
    with pytest.raises(RegistrationError, match="'<lambda>' holds '<'"):
        Registry().activity(lambda: 1)


def test_an_activity_has_one_handler():
    registry = Registry()
    registry.add("add", add)
    with pytest.raises(
        RegistrationError, match=r"^activity add has two handlers, add and add_later: an activity has one$"
    ):
        registry.add("add", add_later)
    assert registry["add"].function is add


# --- interceptors, lifespans, and what is included


def test_the_registrys_interceptors_are_outside_those_of_the_activity():
    registry = Registry(interceptors=[outer])
    registry.add("a", add, interceptors=[inner])
    registry.add("b", add)
    assert registry["a"].interceptors == (outer, inner)
    assert registry["b"].interceptors == (outer,)


def test_interceptors_may_come_from_any_iterable_and_once_only():
    registry = Registry(interceptors=iter([outer]))
    registry.add("a", add, interceptors=(one for one in [inner]))
    registry.add("b", add)
    assert (registry["a"].interceptors, registry["b"].interceptors) == ((outer, inner), (outer,))


@pytest.mark.parametrize("interceptors", [5, outer, None], ids=shown)
def test_interceptors_come_in_a_list(interceptors: Any):
    message = "interceptors must be a list"
    assert f"activity a: {message}" in refused("a", interceptors=interceptors)
    with pytest.raises(RegistrationError, match=f"registry: {message}"):
        Registry(interceptors=interceptors)


def test_a_malformed_interceptor_is_refused_where_it_is_listed():
    assert refused("a", interceptors=[inner, 5]) == (
        "activity a: interceptor 1 (5) cannot be called: it must be an async function of (task, call_next)"
    )
    with pytest.raises(RegistrationError, match=r"^registry: interceptor 0 .* is not async"):
        Registry(interceptors=[lambda task, call_next: None])


@asynccontextmanager
async def pool():
    yield


@asynccontextmanager
async def queue():
    yield


def test_an_included_registry_brings_handlers_interceptors_and_lifespans():
    orders = Registry(lifespan=pool, interceptors=[inner])
    orders.add("a", add)
    shared = Registry(lifespan=pool)
    shared.add("b", add)
    registry = Registry(lifespan=queue, interceptors=[outer])
    registry.include(orders)
    registry.include(shared)
    assert registry["a"].interceptors == (outer, inner)
    assert registry["b"].interceptors == (outer,)
    assert registry.lifespans == [queue, pool]
    assert orders["a"].interceptors == (inner,)


def test_an_activity_that_both_registries_have_is_refused():
    one, other = Registry(), Registry()
    one.add("a", add)
    other.add("a", add)
    with pytest.raises(RegistrationError, match="activity a has two handlers"):
        one.include(other)


@pytest.mark.parametrize("lifespan", [5, "pool", object()], ids=shown)
def test_a_lifespan_is_a_function(lifespan: Any):
    with pytest.raises(RegistrationError, match="the registry's lifespan must be a function that returns"):
        Registry(lifespan=lifespan)


def test_a_lifespan_that_was_called_already_is_refused():
    with pytest.raises(RegistrationError, match="without calling it"):
        Registry(lifespan=pool())  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [None, add, [add]], ids=shown)
def test_only_a_registry_is_included(other: Any):
    with pytest.raises(RegistrationError, match="is not a registry"):
        Registry().include(other)


# --- a handler at work


def test_a_handler_binds_a_task_and_dumps_its_result():
    registry = Registry()
    registry.add("a", add)
    task = Task(activity="a", token="t", input={"x": "1", "y": 2}, run=None)  # type: ignore[arg-type]
    handler = registry["a"]
    assert handler.bind(task)() == 3
    assert handler.dump("3") == 3
    assert "token" not in repr(handler)
