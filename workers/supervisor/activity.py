"""An activity as a worker runs it: handler, ARN and limits worked out, the chain composed once."""

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interceptors.chain import CallNext, Interceptor, compose
from workers.arns import Place, is_arn, namespaced
from workers.errors import RegistrationError
from workers.handlers import Handler, Kind
from workers.pollers import poller_problem
from workers.settings import Settings
from workers.supervisor.arrangement import arranged, needed, worker_payload


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One activity of a running worker."""

    handler: Handler
    arn: str
    concurrency: int
    """Slots: tasks at once."""
    pollers: int
    """Open polls at most."""
    min_pollers: int
    """Open polls while there is nothing to do. One with a budget: what it holds, others may need."""
    initial_pollers: int
    rate: float | None
    """Tasks a second at most."""
    breaker: int | None
    """Failures in a row that pause the polls."""
    breaker_pause: float
    """Seconds of such a pause."""
    heartbeat: float
    """Seconds between heartbeats; 0 for none."""
    interceptors: tuple[Interceptor, ...] = field(repr=False)
    """The whole chain, outermost first."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.handler.name

    def chain(self, invoke: CallNext) -> CallNext:
        """The chain around `invoke`, which runs the handler. Composed once, when the lifespans have been entered."""
        return compose(needed(self.interceptors), invoke)


def activities(
    handlers: Iterable[Handler], settings: Settings, place: Place, *, arns: Mapping[str, str] | None = None
) -> list[Activity]:
    """What a worker with `settings` in `place` makes of `handlers`.

    `arns`: the handlers that are wanted, by name, each with the ARN of its activity; else all, under their own names.
    Raises `RegistrationError` for a `process=True` function that a process could not find, for two handlers that
    are registered under names of one activity, and for one that wants more polls than the worker lets it have.
    """
    payload = worker_payload(settings)
    found: dict[str, Activity] = {}
    for handler in handlers:
        if arns is not None and handler.name not in arns:
            continue
        arn = arns[handler.name] if arns is not None else _arn(handler.name, settings, place)
        activity = _activity(handler, settings, arn, payload)
        if (first := found.setdefault(activity.arn, activity)) is not activity:
            raise RegistrationError(
                f"{first.name} and {activity.name} are one activity here, {activity.arn}: an activity has one handler"
            )
    return list(found.values())


def _check_process(handler: Handler) -> None:
    """A process finds its function by name: one that is nested, or a lambda, cannot be found."""
    if handler.kind is not Kind.PROCESS:
        return
    try:
        pickle.dumps(handler.function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise RegistrationError(
            f"activity {handler.name}: process=True needs a function at the top level of a module: {error}"
        ) from error


def _check_pollers(handler: Handler, settings: Settings) -> None:
    """What the handler says for itself must fit the worker's maximum, where it has none of its own."""
    said = {"min_pollers": handler.min_pollers, "initial_pollers": handler.initial_pollers}
    if problem := poller_problem({**said, "pollers": handler.pollers or settings.pollers}):
        raise RegistrationError(f"activity {handler.name}: {problem} (raise --pollers, or say pollers= beside it)")


def _arn(name: str, settings: Settings, place: Place) -> str:
    return place.activity(name if is_arn(name) else namespaced(name, settings.namespace))


def _activity(handler: Handler, settings: Settings, arn: str, payload: Interceptor | None) -> Activity:
    _check_process(handler)
    _check_pollers(handler, settings)
    concurrency = handler.concurrency or settings.concurrency
    return Activity(
        handler=handler,
        arn=arn,
        concurrency=concurrency,
        pollers=min(handler.pollers or settings.pollers, concurrency),
        min_pollers=1 if settings.budget else handler.min_pollers or settings.min_pollers,
        initial_pollers=handler.initial_pollers or settings.initial_pollers,
        rate=handler.rate or settings.rate,
        breaker=handler.breaker or settings.breaker,
        breaker_pause=settings.breaker_pause,
        heartbeat=settings.heartbeat if handler.heartbeat is None else handler.heartbeat,
        interceptors=arranged(handler, payload),
    )
