"""The functions that Step Functions adds to JSONata (developer guide, "Transforming data with JSONata").

None stands for "undefined", as it does in jsonata-python.
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable
from typing import Any

RANGE_LIMIT = 360_145
"""Items that fit the memory that AWS gives an expression."""
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class MemoryLimitError(ValueError):
    """A function would make more than AWS gives an expression memory for."""


def _whole(value: Any, function: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"T0410: Argument of function {function} must be a number")
    return math.trunc(value)


def _partition(array: Any = None, size: Any = None) -> Any:
    if array is None or size is None:
        return None
    items = array if isinstance(array, list) else [array]
    length = _whole(size, "partition")
    if length < 0:
        raise ValueError("T0410: Argument 2 of function partition must not be negative")
    if not length or not items:
        return None
    listed = list(items)
    return [listed[start : start + length] for start in range(0, len(listed), length)]


def _range(first: Any = None, last: Any = None, step: Any = None) -> Any:
    if first is None or last is None or step is None:
        return None
    start, stop, by = (_whole(value, "range") for value in (first, last, step))
    if by == 0:
        return None
    numbers = range(start, stop + (1 if by > 0 else -1), by)
    if len(numbers) > RANGE_LIMIT:
        raise MemoryLimitError
    return None if not numbers else numbers[0] if len(numbers) == 1 else list(numbers)


def _hash(text: Any = None, algorithm: Any = None) -> Any:
    if text is None or algorithm is None:
        return None
    if not isinstance(text, str):
        raise TypeError("T0410: Argument 1 of function hash must be a string")
    if algorithm not in _HASHES:
        raise ValueError(f"The algorithm of $hash must be one of {', '.join(_HASHES)}, found {algorithm}")
    return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any = None) -> float:
    if seed is None:
        return random.random()  # noqa: S311 - AWS's is none either
    return _java_random(_whole(seed, "random"))


def _java_random(seed: int) -> float:
    """The first double of `java.util.Random(seed)`, as on AWS: a linear congruential generator of 48 bits."""
    multiplier, mask = 0x5DEECE66D, (1 << 48) - 1
    first = ((seed ^ multiplier) * multiplier + 0xB) & mask
    second = (first * multiplier + 0xB) & mask
    return ((first >> 22 << 27) + (second >> 21)) / (1 << 53)


def _parse(text: Any = None) -> Any:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError("T0410: Argument 1 of function parse must be a string")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"$parse: the string is no JSON: {error}") from None


ADDED_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "hash": _hash,
    "parse": _parse,
    "partition": _partition,
    "random": _random,
    "range": _range,
    "uuid": lambda: str(uuid.uuid4()),
}
