"""Reading the input of a task: strictly, because a guess at what was meant would be a wrong result."""

import json
import re
from collections import Counter
from json.scanner import make_scanner
from math import isfinite
from typing import Any, NoReturn

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_input(text: str) -> Any:
    """The document in `text`.

    Raises `ValueError` for what is no JSON, for NaN and the infinities (which Python's reader would take), for
    numbers that no float holds, for halves of surrogate pairs, which no UTF-8 holds, for a key that stands twice
    in one object, and for too deep a nesting.
    """
    try:
        document = _decoded(text)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode(errors="backslashreplace").decode()
        raise ValueError(f"{half} is half of a surrogate pair, no character") from None
    return document


def _decoded(text: str) -> Any:
    """What the decoder does but for white space around a document, for which it looks twice: nobody sends any."""
    try:
        document, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return document if end == len(text) else _decoder.decode(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"the number {text[:80]} is too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)
_scan = make_scanner(_decoder)  # type: ignore[arg-type]  # typeshed takes a decoder for a scanner
