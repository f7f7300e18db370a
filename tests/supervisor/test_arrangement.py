"""The order of a chain: what stands outside of what, and what is left out."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import ProxyTracerProvider

from interceptors import Heartbeat, Payload, Telemetry, Timeout
from interceptors.chain import CallNext, Interceptor
from workers import Registry
from workers.settings import Settings
from workers.supervisor.arrangement import arranged, needed, worker_payload
from workers.task import Task


async def work() -> None: ...


async def of_registry(task: Task, call_next: CallNext) -> Any:
    return await call_next(task)


async def of_activity(task: Task, call_next: CallNext) -> Any:
    return await call_next(task)


def chain(
    registry: tuple[Interceptor, ...] = (of_registry,), activity: tuple[Interceptor, ...] = (of_activity,)
) -> tuple[Interceptor, ...]:
    """The whole chain of an activity with a timeout, in a worker with `--payloads`."""
    handlers = Registry(interceptors=registry)
    handlers.add("work", work, interceptors=activity, timeout=5)
    return arranged(handlers["work"], worker_payload(Settings(payloads="memory://settings")))


def shown(one: Interceptor) -> Any:
    """A function as itself, of any other interceptor its class."""
    return one if one in (of_registry, of_activity) else type(one)


def test_ours_stand_around_the_users_and_the_timeout_is_innermost():
    found = chain()
    assert [shown(one) for one in found] == [Telemetry, Heartbeat, Payload, of_registry, of_activity, Timeout]
    assert found[2].payloads.url == "memory://settings"
    assert found[-1].seconds == 5


def test_what_is_not_asked_for_is_not_there():
    registry = Registry()
    registry.add("work", work)
    assert [type(one) for one in arranged(registry["work"], worker_payload(Settings()))] == [Telemetry, Heartbeat]


@pytest.mark.parametrize(
    "own", [Telemetry(), Heartbeat(3), Payload("memory://own")], ids=lambda own: type(own).__name__
)
def test_one_that_the_user_lists_stands_where_it_is_listed_instead_of_ours(own: Interceptor):
    found = chain(activity=(of_activity, own))
    ours = [kind for kind in (Telemetry, Heartbeat, Payload) if kind is not type(own)]
    assert [shown(one) for one in found] == [*ours, of_registry, of_activity, type(own), Timeout]
    assert found[-2] is own


def test_of_several_payload_interceptors_the_innermost_stays():
    first, last = Payload("memory://registry"), Payload("memory://activity")
    assert [one for one in chain((first,), (last,)) if isinstance(one, Payload)] == [last]
    assert [one for one in chain((first,)) if isinstance(one, Payload)] == [first]


def test_telemetry_is_dropped_as_long_as_there_is_no_tracer_provider(monkeypatch: pytest.MonkeyPatch):
    found = chain()
    monkeypatch.setattr(trace, "get_tracer_provider", ProxyTracerProvider)
    assert needed(found) == found[1:]
    monkeypatch.setattr(trace, "get_tracer_provider", TracerProvider)
    assert needed(found) == found
