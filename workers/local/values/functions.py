"""The intrinsic functions themselves (developer guide, "Intrinsic functions").

Each takes JSON values and gives one. Numbers where whole ones are wanted are rounded to the nearest.
"""

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

from workers.local.values.scope import compact

TEXT_LIMIT = 10_000
"""Characters of a text that is encoded, decoded or hashed."""
RANGE_LIMIT = 1_000
"""Items of a range."""
_INTEGERS = range(-(2**31), 2**31)
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class ArgumentError(ValueError):
    """An argument that a function cannot take."""


def formatted(parts: tuple[str, ...] | list[str], values: list[Any]) -> str:
    """A template's `parts` with `values` between them."""
    if len(parts) != len(values) + 1:
        raise _invalid("States.Format", "number of arguments do not match the occurrences of {}")
    return parts[0] + "".join(_shown(value) + part for value, part in zip(values, parts[1:], strict=True))


def _shown(value: Any) -> str:
    """A value in a text, as Java shows it: texts without quotes, objects as `{a=1, b=[x, y]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(member)}" for key, member in value.items()) + "}"
    return compact(value)


def _format(template: Any, *values: Any) -> str:
    return formatted(_text("States.Format", template).split("{}"), list(values))


def _text(function: str, value: Any, *, limit: int | None = None) -> str:
    if not isinstance(value, str):
        raise _invalid(function, f"expected a string, found {compact(value)}")
    if limit is not None and len(value) > limit:
        raise _invalid(function, f"the string has {len(value)} characters: the limit is {limit}")
    return value


def _list(function: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _invalid(function, f"expected an array, found {compact(value)}")
    return value


def _whole(function: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(function, f"expected an integer, found {compact(value)}")
    rounded = math.floor(value + 0.5) if isinstance(value, float) else value
    if rounded not in _INTEGERS:
        raise _invalid(function, f"{compact(value)} is not a 32-bit integer")
    return rounded


def _invalid(function: str, why: str) -> ArgumentError:
    return ArgumentError(f"Invalid arguments in {function}, caused by: {why}")


def _array_contains(array: Any, wanted: Any) -> bool:
    """JSON's equality, in which 1 is 1.0 but not `true`."""
    sought = _canonical(wanted)
    return any(_canonical(item) == sought for item in _list("States.ArrayContains", array))


def _array_get_item(array: Any, index: Any) -> Any:
    items, position = _list("States.ArrayGetItem", array), _whole("States.ArrayGetItem", index)
    if not 0 <= position < len(items):
        raise _invalid("States.ArrayGetItem", f"the array has {len(items)} items, none at index {position}")
    return items[position]


def _array_length(array: Any) -> int:
    return len(_list("States.ArrayLength", array))


def _array_partition(array: Any, size: Any) -> list[Any]:
    items, length = _list("States.ArrayPartition", array), _whole("States.ArrayPartition", size)
    if length < 1:
        raise _invalid("States.ArrayPartition", f"the size of a chunk must be positive, found {length}")
    return [items[start : start + length] for start in range(0, len(items), length)]


def _array_range(first: Any, last: Any, step: Any) -> list[int]:
    start, stop, by = (_whole("States.ArrayRange", value) for value in (first, last, step))
    if by == 0:
        raise _invalid("States.ArrayRange", "the step must not be 0")
    numbers = range(start, stop + (1 if by > 0 else -1), by)
    if len(numbers) > RANGE_LIMIT:
        raise _invalid("States.ArrayRange", f"the range has {len(numbers)} items: the limit is {RANGE_LIMIT}")
    return list(numbers)


def _array_unique(array: Any) -> list[Any]:
    unique: dict[str, Any] = {}
    for item in _list("States.ArrayUnique", array):
        unique.setdefault(_canonical(item), item)
    return list(unique.values())


def _canonical(value: Any) -> str:
    """The same text for equal JSON."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return list(map(_plain, value))
    return {key: _plain(member) for key, member in value.items()} if isinstance(value, dict) else value


def _base64_encode(text: Any) -> str:
    return base64.b64encode(_text("States.Base64Encode", text, limit=TEXT_LIMIT).encode()).decode()


def _base64_decode(text: Any) -> str:
    encoded = _text("States.Base64Decode", text, limit=TEXT_LIMIT)
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _invalid("States.Base64Decode", f"the string is no base64 of UTF-8: {error}") from None


def _hash(value: Any, algorithm: Any) -> str:
    known = _HASHES.get(_text("States.Hash", algorithm))
    if known is None:
        raise _invalid("States.Hash", f"the algorithm must be one of {', '.join(_HASHES)}, found {algorithm}")
    text = value if isinstance(value, str) else compact(value)
    return hashlib.new(known, _text("States.Hash", text, limit=TEXT_LIMIT).encode(), usedforsecurity=False).hexdigest()


def _json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        raise _invalid("States.JsonMerge", "expected two objects")
    if deep is not False:
        raise _invalid("States.JsonMerge", "only shallow merging is supported: the third argument must be false")
    return first | second


def _string_to_json(text: Any) -> Any:
    """Nothing but spaces is null."""
    given = _text("States.StringToJson", text)
    try:
        return json.loads(given) if given.strip() else None
    except (ValueError, RecursionError) as error:
        raise _invalid("States.StringToJson", f"the string is no JSON: {error}") from None


def _math_add(first: Any, second: Any) -> int:
    return _whole("States.MathAdd", _whole("States.MathAdd", first) + _whole("States.MathAdd", second))


def _math_random(start: Any, end: Any, seed: Any = None) -> int:
    least, most = _whole("States.MathRandom", start), _whole("States.MathRandom", end)
    if least >= most:
        raise _invalid("States.MathRandom", f"the start {least} must be less than the end {most}")
    source = random.Random(None if seed is None else _whole("States.MathRandom", seed))  # noqa: S311 - AWS's is none either
    return source.randrange(least, most)


def _string_split(text: Any, delimiters: Any) -> list[str]:
    """Each character of `delimiters` splits; nothing between two of them is left out."""
    split, at = _text("States.StringSplit", text), _text("States.StringSplit", delimiters)
    parts = re.split(f"[{re.escape(at)}]", split) if at else [split]
    return [part for part in parts if part]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Array": lambda *items: list(items),
    "States.ArrayContains": _array_contains,
    "States.ArrayGetItem": _array_get_item,
    "States.ArrayLength": _array_length,
    "States.ArrayPartition": _array_partition,
    "States.ArrayRange": _array_range,
    "States.ArrayUnique": _array_unique,
    "States.Base64Decode": _base64_decode,
    "States.Base64Encode": _base64_encode,
    "States.Format": _format,
    "States.Hash": _hash,
    "States.JsonMerge": _json_merge,
    "States.JsonToString": compact,
    "States.MathAdd": _math_add,
    "States.MathRandom": _math_random,
    "States.StringSplit": _string_split,
    "States.StringToJson": _string_to_json,
    "States.UUID": lambda: str(uuid.uuid4()),
}
