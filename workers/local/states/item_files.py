"""Files in S3 that hold the items of a Map (developer guide, "ItemReader")."""

import base64
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from workers.local.documents import parsed
from workers.local.states.parquet import rows
from workers.machines.model.collections import ReaderConfig

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def text_of(body: str, key: str) -> str:
    """The text of an object, whose `body` is as tasks get it: base64 where it is no UTF-8, as what is compressed."""
    return gzip.decompress(base64.b64decode(body)).decode() if key.endswith(".gz") else body


def read_items(text: str, config: ReaderConfig) -> list[Any] | dict[str, Any]:
    """The items in a file: an array, or an object. Raises `ValueError` and its like for what cannot be read."""
    found: list[Any] | dict[str, Any] = _FORMS[config.input_type or "JSON"](text, config)
    return found


def inventory(manifest: str) -> tuple[str, list[str], ReaderConfig]:
    """The bucket, the keys, and the form of the files that the manifest.json of an S3 inventory lists."""
    found = json.loads(manifest)
    if found["fileFormat"] != "CSV":
        raise ValueError(f"the inventory is of {found['fileFormat']} files: only CSV can be read")
    columns = [column.strip() for column in found["fileSchema"].split(",")]
    form = ReaderConfig.model_validate({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": columns})
    return found["destinationBucket"].rpartition(":")[2], [file["key"] for file in found["files"]], form


def locations(manifest: str) -> list[tuple[str, str]]:
    """Buckets and keys that a manifest of Athena lists, one `s3://` URI in a line."""
    found = (line.strip().strip('"').partition("://") for line in manifest.splitlines() if line.strip())
    return [(path.partition("/")[0], path.partition("/")[2]) for _, _, path in found]


def _csv(text: str, config: ReaderConfig) -> list[Any]:
    rows = csv.reader(io.StringIO(text.removeprefix(_BOM)), delimiter=_DELIMITERS[config.csv_delimiter or "COMMA"])
    given = config.csv_header_location == "GIVEN"
    headers = (config.csv_headers or []) if given else next(rows, [])
    if len(set(headers)) < len(headers):
        raise ValueError("CSV headers cannot contain duplicates.")
    return list(_records(headers, rows))


def _records(headers: list[str], rows: Iterable[list[str]]) -> Iterable[dict[str, str]]:
    """Missing columns are empty, further ones are left out."""
    for row in rows:
        if row:
            yield dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False))


def _lines(text: str, _: ReaderConfig) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _json(text: str, config: ReaderConfig) -> list[Any] | dict[str, Any]:
    value = parsed(text).value
    for part in filter(None, (config.items_pointer or "").split("/")):
        value = value[int(part)] if isinstance(value, list) else value[part.replace("~1", "/").replace("~0", "~")]
    if not isinstance(value, list | dict):
        raise TypeError("Attempting to map over non-iterable node.")
    return value


def _parquet(body: str, _: ReaderConfig) -> list[Any]:
    return list(rows(body))


def _unread(_: str, config: ReaderConfig) -> list[Any]:
    raise ValueError(f"a {config.input_type} cannot be in another: take CSV, JSON, JSONL or PARQUET")


_FORMS: dict[str, Callable[[str, ReaderConfig], Any]] = {
    "CSV": _csv,
    "JSON": _json,
    "JSONL": _lines,
    "PARQUET": _parquet,
    "MANIFEST": _unread,
}
