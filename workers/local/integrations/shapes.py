"""Parameters and answers of AWS services between Step Functions' form of them and botocore's.

Step Functions writes the members of structures in PascalCase, moments in ISO 8601, and binary data as text.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from workers.local.values.scope import compact


class UnfitError(ValueError):
    """A parameter that the service does not take."""


def to_botocore(value: Any, shape: Shape | None, *, stringify: bool = False) -> Any:
    """`value`, as parameters hold it, for the SDK. `stringify`: JSON where text is wanted becomes its text.

    Raises `UnfitError`.
    """
    return _Writer(stringify=stringify).write(value, shape, "Parameters") if shape else {}


class _Writer:
    def __init__(self, *, stringify: bool) -> None:
        self._stringify = stringify

    def write(self, value: Any, shape: Shape, field: str) -> Any:
        kind = shape.type_name
        if kind == "structure":
            return self._structure(value, shape, field)
        if kind == "list":
            return [self.write(item, shape.member, field) for item in _of(list, value, field, "LIST")]
        if kind == "map":
            members = _of(dict, value, field, "MAP")
            return {key: self.write(member, shape.value, key) for key, member in members.items()}
        if kind == "blob":
            return (value if isinstance(value, str) else compact(value)).encode()
        if kind == "string" and not isinstance(value, str):
            if not self._stringify:
                raise UnfitError(f"The value for the field '{field}' must be a STRING")
            return compact(value)
        return value

    def _structure(self, value: Any, shape: Shape, field: str) -> Any:
        if getattr(shape, "is_document_type", False):
            return value
        members = {name.lower(): name for name in shape.members}
        written = {}
        for key, member in _of(dict, value, field, "STRUCTURE").items():
            if (name := members.get(key.lower())) is None:
                raise UnfitError(f"The field '{key}' is not supported by Step Functions")
            written[name] = self.write(member, shape.members[name], key)
        return written


def _of(kind: type, value: Any, field: str, name: str) -> Any:
    if not isinstance(value, kind):
        raise UnfitError(f"The value for the field '{field}' must be a {name}")
    return value


def iso(moment: datetime) -> str:
    """As the AWS SDK integrations write moments."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_milliseconds(moment: datetime) -> int:
    """As the optimized integrations write moments."""
    return round(moment.timestamp() * 1000)


def from_botocore(value: Any, shape: Shape | None, write_moment: Callable[[datetime], Any] = iso) -> Any:
    """`value`, an answer of the SDK, as JSON. Bodies have to be read before."""
    if isinstance(value, datetime):
        return write_moment(value)
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, list):
        return [from_botocore(item, getattr(shape, "member", None), write_moment) for item in value]
    if not isinstance(value, dict):
        return value
    if shape is not None and shape.type_name == "map":
        return {key: from_botocore(member, shape.value, write_moment) for key, member in value.items()}
    members = shape.members if shape is not None and shape.type_name == "structure" else {}
    return {
        key[:1].upper() + key[1:]: from_botocore(member, members.get(key), write_moment)
        for key, member in value.items()
        if key != "ResponseMetadata"
    }


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def json_or_text(text: str) -> Any:
    """What a Lambda function answered: JSON, or text that is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
