"""Sweeping: old payloads leave a store that has no lifecycle rule."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from workers.errors import UsageError
from workers.payloads.progress import FOLDER as PROGRESS
from workers.payloads.store import Store, StoredObject

_OURS = re.compile(r"(?:[0-9a-f]{64}|stream-[0-9a-f]{32})(?:\.[0-9a-f]{32})?")  # the last part: drafts of files
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AT_ONCE = 1_000


_AGE = re.compile(r"(\d+)\s*(h|d|w)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_age(text: str) -> timedelta:
    """`36h`, `30d` or `4w` as a timedelta. Raises `UsageError`."""
    if not (match := _AGE.fullmatch(text.strip())):
        raise UsageError(f"an age is written like 36h, 30d or 4w, not {text!r}")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(slots=True)
class Swept:
    """What a sweep has seen and removed so far."""

    seen: int = 0
    removed: int = 0
    removed_bytes: int = 0


async def sweep(
    store: Store,
    *,
    older_than: timedelta,
    dry_run: bool = False,
    progress: Callable[[Swept], None] = lambda _: None,
) -> Swept:
    """Removes the payloads that were written longer ago than `older_than`, and nothing that is not a payload.

    With `dry_run` it only counts them. `progress` is called after each thousand objects, and at the end.
    Raises `UsageError` when `older_than` is less than a day: claims of running executions would break.
    """
    if older_than < timedelta(days=1):
        raise UsageError("payloads younger than a day are not swept: running executions hold claims on them")
    cutoff = datetime.now(UTC) - older_than
    swept = Swept()
    batch: list[StoredObject] = []

    async def flush() -> None:
        if batch and not dry_run:
            await store.delete([found.key for found in batch])
        swept.removed += len(batch)
        swept.removed_bytes += sum(found.size for found in batch)
        batch.clear()
        progress(swept)

    async for found in _payloads(store, cutoff.date()):
        swept.seen += 1
        if found.modified < cutoff:
            batch.append(found)
        if len(batch) == _AT_ONCE or swept.seen % _AT_ONCE == 0:
            await flush()
    await flush()
    return swept


async def _payloads(store: Store, last: date) -> AsyncIterator[StoredObject]:
    """The payloads of `store` in the folders of days up to `last`, and what tasks have noted of their progress."""
    async for folder in store.folders():
        if folder != PROGRESS and not (_DAY.fullmatch(folder) and folder <= last.isoformat()):
            continue
        async for found in store.objects(folder):
            if _OURS.fullmatch(found.key.rsplit("/", 1)[-1]):
                yield found
