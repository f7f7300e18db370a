"""Items of DynamoDB: plain dicts here, attribute values there."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Item = dict[str, Any]

_ATTRIBUTE = re.compile(r"@(\w+)")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_item(values: Mapping[str, Any]) -> Item:
    """A dict as DynamoDB wants it; what is None is left out."""
    return {name: _value(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Item:
    """The dict in an item."""
    return {name: _plain(value) for name, value in item.items()}


def milliseconds(time: datetime) -> int:
    """A time as items hold it."""
    return (time - _EPOCH) // _MILLISECOND


def moment(time: int | None) -> datetime | None:
    """The time in an item."""
    return None if time is None else _EPOCH + time * _MILLISECOND


def _value(value: Any) -> Item:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, Mapping):
        return {"M": to_item(value)}
    return {"L": [_value(one) for one in value]}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, data),) = value.items()
    if kind == "N":
        return int(data)
    if kind == "M":
        return from_item(data)
    return [_plain(one) for one in data] if kind == "L" else data


def expressions(values: Mapping[str, Any] | None = None, **texts: str) -> dict[str, Any]:
    """The parameters for expressions in which attributes are written `@name`, and values `:name`.

    All attributes go by substitutes, for hundreds of words are reserved (DynamoDB, "Reserved words").
    """
    names = {found for text in texts.values() for found in _ATTRIBUTE.findall(text)}
    parameters: dict[str, Any] = {name: _ATTRIBUTE.sub(r"#\1", text) for name, text in texts.items()}
    if names:
        parameters["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    if values:
        parameters["ExpressionAttributeValues"] = to_item({f":{name}": value for name, value in values.items()})
    return parameters
