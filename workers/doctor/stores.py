"""Payload stores: is what is offloaded written, and can it be read?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interceptors.payload import Payload
from workers.doctor.findings import Finding, Level
from workers.payloads.errors import PayloadError, PayloadMissingError
from workers.payloads.payloads import Payloads
from workers.stepfunctions.account import Account
from workers.supervisor.activity import Activity

_NO_SUCH_DAY = f"0001-01-01/{'0' * 64}"
"""The key of an object that no worker ever writes: asking for it shows whether the store answers."""
_ON_AWS = "s3://"


def payload_stores(handled: Mapping[str, Activity]) -> dict[str, Payloads]:
    """The stores of the worker's activities, by their URLs."""
    interceptors = (one for activity in handled.values() for one in activity.interceptors if isinstance(one, Payload))
    return {one.payloads.url: one.payloads for one in interceptors}


async def check_stores(stores: Mapping[str, Payloads], account: Account | None) -> list[Finding]:
    """Asks each store for an object that is not there. Those on S3 are asked only with an `account`."""
    return [finding for url, store in stores.items() for finding in await _check(url, store, account)]


async def _check(url: str, payloads: Payloads, account: Account | None) -> Iterable[Finding]:
    where = f"payload store {url}"
    if url.startswith(_ON_AWS):
        if account is None:
            return [Finding("store-not-asked", where, "not asked: it is on AWS", Level.NOTE)]
        payloads.use_aws(account.connection.session, account.connection.endpoint_url)
    try:
        async with payloads:
            await payloads.store.get(_NO_SUCH_DAY, 1)
    except PayloadMissingError:
        return []
    except PayloadError as error:
        return _unreachable(where, error)
    return []


def _unreachable(where: str, error: Any) -> Iterator[Finding]:
    yield Finding("store-not-reachable", where, f"cannot be used: {error}", Level.ERROR)
