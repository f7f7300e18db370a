"""An activity as a worker runs it: handler, ARN and limits worked out, the chain composed once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from interceptors.chain import CallNext, Interceptor, compose
from interceptors.heartbeat import Heartbeat
from workers.arns import Place, is_arn, namespaced
from workers.handlers import Handler
from workers.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One activity of a running worker."""

    handler: Handler
    arn: str
    concurrency: int
    """Slots: tasks at once."""
    pollers: int
    """Open polls at most."""
    heartbeat: float
    """Seconds between heartbeats; 0 for none."""
    interceptors: tuple[Interceptor, ...] = field(repr=False)
    """The whole chain, outermost first."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.handler.name

    def chain(self, invoke: CallNext) -> CallNext:
        """The chain around `invoke`, which runs the handler."""
        return compose(self.interceptors, invoke)


def activities(handlers: Iterable[Handler], settings: Settings, place: Place) -> list[Activity]:
    """What a worker with `settings` in `place` makes of `handlers`."""
    return [_activity(handler, settings, place) for handler in handlers]


def _activity(handler: Handler, settings: Settings, place: Place) -> Activity:
    name = handler.name if is_arn(handler.name) else namespaced(handler.name, settings.namespace)
    concurrency = handler.concurrency or settings.concurrency
    return Activity(
        handler=handler,
        arn=place.activity(name),
        concurrency=concurrency,
        pollers=min(handler.pollers or settings.pollers, concurrency),
        heartbeat=settings.heartbeat if handler.heartbeat is None else handler.heartbeat,
        interceptors=_arranged(handler.interceptors),
    )


def _arranged(listed: tuple[Interceptor, ...]) -> tuple[Interceptor, ...]:
    """The chain of design order: our own interceptors outermost, unless the user put theirs elsewhere."""
    beats = any(isinstance(interceptor, Heartbeat) for interceptor in listed)
    return listed if beats else (Heartbeat(), *listed)
