"""EDN, the data format of Clojure: a text becomes Python data."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from workers.errors import MissingExtraError, UsageError


def read_edn(text: str, name: str) -> Any:
    """The only value in `text`, which messages call `name`, in the types of edn_format: Keyword, ImmutableDict …

    Raises `UsageError` for what is no EDN.
    """
    try:
        import edn_format
    except ModuleNotFoundError:
        raise MissingExtraError("reading EDN", "edn") from None
    try:
        found = edn_format.loads_all(text)
    except Exception as error:  # noqa: BLE001 - it raises whatever a tag's reader raises
        raise UsageError(f"{name} is no EDN: {' '.join(str(error).split())}") from None
    if len(found) != 1:
        raise UsageError(f"{name} holds {len(found)} values: write one map, as (pr-str definition) prints it")
    return found[0]


def keyword(value: Any) -> str | None:
    """The text of a keyword without its colon, as `activity/add`; None for anything else."""
    from edn_format import Keyword

    return str(value.name) if isinstance(value, Keyword) else None


def plain(value: Any) -> Any:
    """A document as Stepwise wrote it as JSON: keywords lose their namespace, sets become lists.

    Raises `UsageError` for what JSON has no word for.
    """
    if value is None or type(value) in {bool, int, str} or (type(value) is float and math.isfinite(value)):
        return value
    if isinstance(value, AbstractSet):
        return sorted(map(plain, value), key=repr)
    if isinstance(value, Mapping):
        return {key(one): plain(inner) for one, inner in value.items()}
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    return _scalar(value)


def _scalar(value: Any) -> str | float:
    """What JSON has no type for."""
    if (name := keyword(value)) is not None:
        return name.rpartition("/")[2] or name
    if isinstance(value, Decimal) and math.isfinite(found := float(value)):
        return found
    if isinstance(value, date):
        return moment(value)
    raise UsageError(f"{value} is not data that a state machine can hold: write what it stands for")


def key(value: Any) -> str:
    """The key of an object. Raises `UsageError` for what is neither keyword nor text."""
    found = plain(value)
    if not isinstance(found, str):
        raise UsageError(f"{value} cannot be a key: keys are keywords or texts")
    return found


def moment(value: date) -> str:
    """A moment as Java writes one in ISO 8601, with milliseconds; `#inst "2020-01-01"` is midnight, UTC."""
    at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
