"""Requests that their callers have named by an idempotency key, so that what comes twice is done once."""

import hashlib
import json
from datetime import timedelta

from workers.manager.model import now
from workers.manager.store.interface import IdempotencyKey, RequestStore

_REMEMBERED = timedelta(days=1)
"""How long a key is known."""


def named_request(key: str, *request: object) -> IdempotencyKey:
    """A request for a new workflow."""
    fingerprint = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    return IdempotencyKey(key, fingerprint, now() + _REMEMBERED)


async def told_before(store: RequestStore, action: str, key: str | None, *request: object, result: str) -> str | None:
    """What a request for something else is to bring about, as it was kept when it came first; None if this is the
    first, which is then kept with `result`, or if it has no key.

    Each action has keys of its own. Raises `IdempotencyError`.
    """
    if key is None:
        return None
    return await store.name_request(named_request(f"{action}\n{key}", action, *request), result)
