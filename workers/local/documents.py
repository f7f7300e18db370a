"""Documents: JSON as a value and as text, each made when it is first needed.

A document that a state gives on unchanged keeps the text it came with, as on AWS, and is encoded once.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from workers.local.values.errors import StateError
from workers.local.values.scope import compact

LIMIT = 262_144
"""Bytes of UTF-8 that the input or output of a state, a task or an execution may have (Step Functions quotas)."""

DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"


class Document:
    """Some JSON. Neither side of it is ever changed."""

    __slots__ = ("_text", "value")

    def __init__(self, value: Any, text: str | None = None) -> None:
        self.value = value
        self._text = text

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = compact(self.value)
        return self._text

    def fits(self) -> bool:
        """Whether it is within AWS's limit."""
        text = self.text
        return len(text) * 4 <= LIMIT or byte_length(text) <= LIMIT

    def checked(self, what: str) -> "Document":
        """Itself. Raises `StateError` States.DataLimitExceeded where the result of `what` is too large."""
        if self.fits():
            return self
        too_large = "returned a result with a size exceeding the maximum number of bytes service limit."
        raise StateError(DATA_LIMIT_EXCEEDED, f"The state/task '{what}' {too_large}")


def byte_length(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def parsed(text: str) -> Document:
    """The document written in `text`. Raises `ValueError` or `RecursionError` for what is no JSON."""
    return Document(_DECODER.decode(text), text)


def array(documents: Iterable[Document]) -> Document:
    """The list of `documents`."""
    listed = list(documents)
    return Document([one.value for one in listed], f"[{','.join(one.text for one in listed)}]")


def same_or_new(value: Any, *known: Document) -> Document:
    """The document of `value`: one of `known` where it is its very value."""
    return next((document for document in known if document.value is value), None) or Document(value)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"the number {digits} is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
EMPTY = Document({}, "{}")
