"""What a worker makes of handlers: names become ARNs, limits are filled in from the settings."""

from collections.abc import Callable
from typing import Any

import pytest

from workers import Registry
from workers.arns import Place
from workers.errors import RegistrationError, UsageError
from workers.settings import Settings
from workers.supervisor.activity import Activity, activities

HERE = Place("aws", "eu-central-1", "123456789012")
ARN = "arn:aws:states:eu-central-1:123456789012:activity:add"


def at_the_top(x: int) -> int:
    return x


def made(*names: str, settings: Settings | None = None, function: Callable[..., Any] = at_the_top, **options: Any):
    registry = Registry()
    for name in names:
        registry.add(name, function, **options)
    return activities(registry, settings or Settings(), HERE)


def only(*names: str, **options: Any) -> Activity:
    (activity,) = made(*names, **options)
    return activity


def test_a_name_becomes_an_arn_in_its_namespace_and_an_arn_stays():
    assert only("add").arn == ARN
    assert only("add", settings=Settings(namespace="team")).arn.endswith(":activity:team--add")
    assert only(ARN, settings=Settings(namespace="team")).arn == ARN


def test_a_name_that_grows_too_long_in_its_namespace_is_refused():
    with pytest.raises(UsageError, match="has 84 characters"):
        made("x" * 80, settings=Settings(namespace="ns"))


@pytest.mark.parametrize(
    ("names", "settings"),
    [(("add", ARN), Settings()), (("add", ARN.replace(":add", ":team--add")), Settings(namespace="team"))],
    ids=["without a namespace", "in a namespace"],
)
def test_two_names_of_one_activity_are_refused(names: tuple[str, str], settings: Settings):
    with pytest.raises(RegistrationError, match=r"are one activity here, .*: an activity has one handler"):
        made(*names, settings=settings)


def test_what_a_handler_leaves_out_is_the_setting():
    settings = Settings(concurrency=5, pollers=3, heartbeat=7, rate=9)
    left_out = only("add", settings=settings)
    assert (left_out.concurrency, left_out.pollers, left_out.heartbeat, left_out.rate) == (5, 3, 7, 9)
    own = only("add", settings=settings, concurrency=2, pollers=1, heartbeat=0, rate=4)
    assert (own.concurrency, own.pollers, own.heartbeat, own.rate) == (2, 1, 0, 4)


def polls(activity: Activity) -> tuple[int, int, int]:
    return activity.min_pollers, activity.initial_pollers, activity.pollers


def test_each_activity_may_have_its_own_numbers_of_polls():
    settings = Settings(min_pollers=2, initial_pollers=3, pollers=5)
    assert polls(only("add", settings=settings)) == (2, 3, 5)
    assert polls(only("add", settings=settings, min_pollers=4, initial_pollers=6, pollers=7)) == (4, 6, 7)
    assert polls(only("add", settings=settings, min_pollers=4)) == (4, 3, 5)  # it begins with four then


def test_an_activity_that_wants_more_polls_than_the_worker_lets_it_have_is_refused():
    with pytest.raises(RegistrationError, match=r"activity add: min_pollers is 9 and pollers 8: .* \(raise --pollers"):
        made("add", min_pollers=9)
    assert polls(only("add", min_pollers=9, pollers=9)) == (9, 2, 9)


def test_an_idle_activity_keeps_one_poll_of_a_budget():
    assert only("add", settings=Settings(min_pollers=3, budget=6)).min_pollers == 1
    assert only("add", settings=Settings(budget=6), min_pollers=3).min_pollers == 1


def test_there_are_never_more_polls_than_slots():
    assert only("add", concurrency=2, pollers=10).pollers == 2


def test_a_function_that_another_process_could_not_find_is_refused():
    def nested(x: int) -> int:
        return x

    assert only("add", process=True).name == "add"
    with pytest.raises(RegistrationError, match="activity add: process=True needs a function at the top level"):
        made("add", function=nested, process=True)
