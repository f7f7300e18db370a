"""Parquet files that hold the items of a Map (developer guide, "ItemReader"): one item for each row."""

import base64
import io
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from workers.errors import MissingExtraError

_MAGIC = b"PAR1"


def rows(body: str) -> list[dict[str, Any]]:
    """The rows of a file, whose `body` is as tasks get it: base64 unless it happens to be UTF-8.

    Raises `ValueError` for what is no such file, and where the extra is missing.
    """
    try:
        from arro3.io import read_parquet
    except ImportError:
        raise ValueError(str(MissingExtraError("reading Parquet", "parquet"))) from None
    data = body.encode() if body.startswith(_MAGIC.decode()) else base64.b64decode(body)
    if len(data) < 2 * len(_MAGIC) + 4 or not (data.startswith(_MAGIC) and data.endswith(_MAGIC)):
        raise ValueError("it is no Parquet file")
    try:
        batches = list(read_parquet(io.BytesIO(data)))
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":  # of the library's own making
            raise ValueError(f"it is no Parquet file: {error}") from None
        raise
    found: list[dict[str, Any]] = []
    for batch in batches:
        columns = [[_as_json(column[row].as_py()) for row in range(len(column))] for column in batch.columns]
        found += [dict(zip(batch.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


def _as_json(value: Any) -> Any:
    """Moments in ISO 8601, what is no number null, binary data in base64."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return list(map(_as_json, value))
    if isinstance(value, dict):
        return {key: _as_json(member) for key, member in value.items()}
    return value
