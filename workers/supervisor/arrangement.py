"""The order of a chain: which interceptors stand around a handler, and where our own go."""

from interceptors.chain import Interceptor
from interceptors.heartbeat import Heartbeat
from interceptors.telemetry import Telemetry
from interceptors.timeout import Timeout
from workers.handlers import Handler
from workers.settings import Settings


def worker_payload(settings: Settings) -> Interceptor | None:
    """The payload interceptor that `--payloads` asks for: one for all activities of a worker."""
    if not settings.payloads:
        return None
    from interceptors.payload import Payload

    return Payload(settings.payloads)


def arranged(handler: Handler, payload: Interceptor | None) -> tuple[Interceptor, ...]:
    """The whole chain, outermost first: telemetry, heartbeat, payload, the registry's, the activity's, timeout.

    One of the first three that the user lists stands where it is listed, instead of ours. Of several payload
    interceptors only the innermost runs: the activity's before the registry's before the setting's.
    """
    chain = _one_payload(handler.interceptors, payload)
    if not any(isinstance(one, Heartbeat) for one in chain):
        chain = (Heartbeat(), *chain)
    if not any(isinstance(one, Telemetry) for one in chain) and (telemetry := Telemetry.if_installed()):
        chain = (telemetry, *chain)
    return (*chain, Timeout(handler.timeout)) if handler.timeout else chain


def needed(chain: tuple[Interceptor, ...]) -> tuple[Interceptor, ...]:
    """The chain without telemetry that has nobody to tell by now."""
    return tuple(one for one in chain if not (isinstance(one, Telemetry) and not one.set_up))


def _one_payload(listed: tuple[Interceptor, ...], payload: Interceptor | None) -> tuple[Interceptor, ...]:
    own = [one for one in listed if is_payload(one)]
    if not own:
        return (payload, *listed) if payload else listed
    return tuple(one for one in listed if one is own[-1] or not is_payload(one))


def is_payload(interceptor: Interceptor) -> bool:
    """Whether it is a payload interceptor. Asked by a mark, so that the file systems are imported only when used."""
    return getattr(interceptor, "reloads_payloads", False) is True
