"""JSON documents: their bytes, the places in them, and copies that differ at a few places."""

import json
from collections.abc import Iterator
from typing import Any

from workers.payloads.claim import Claim
from workers.payloads.errors import PayloadNotJsonError

Place = tuple[str | int, ...]
"""Where a value stands: the keys and indexes that lead to it; () is the document itself."""


def _default(value: Any) -> Any:
    if isinstance(value, Claim):
        return value.to_json()
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default)


def encode(document: Any) -> bytes:
    """`document` as UTF-8 JSON without spaces, the form whose bytes AWS counts. A `Claim` becomes its object.

    Raises `PayloadNotJsonError`.
    """
    try:
        return _encoder.encode(document).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PayloadNotJsonError(f"the document holds what JSON cannot: {error}") from None


def nodes(document: Any, *, leaves: tuple[type, ...] = ()) -> Iterator[tuple[Place, Any]]:
    """Every object, list and instance of `leaves` in `document` with its place, containers before what is in them.

    Without recursion, because a document may be nested as deeply as the JSON parser allows.
    """
    wanted = (dict, list, tuple, *leaves)
    waiting: list[tuple[Place, Any]] = [((), document)] if isinstance(document, wanted) else []
    while waiting:
        place, node = waiting.pop()
        yield place, node
        if isinstance(node, dict):
            waiting.extend(((*place, key), child) for key, child in node.items() if isinstance(child, wanted))
        elif isinstance(node, (list, tuple)):
            waiting.extend(((*place, index), child) for index, child in enumerate(node) if isinstance(child, wanted))


class Draft:
    """A document that can be changed while the original stays as it is: only what is changed is copied.

    Change what is deeper before what is around it.
    """

    def __init__(self, document: Any) -> None:
        self._holder = [document]
        self._copied: set[Place] = set()

    @property
    def document(self) -> Any:
        """The document as changed so far."""
        return self._holder[0]

    def __getitem__(self, place: Place) -> Any:
        value = self.document
        for step in place:
            value = value[step]
        return value

    def __setitem__(self, place: Place, value: Any) -> None:
        container: Any = self._holder
        step: str | int = 0
        for depth, deeper in enumerate(place):
            if place[:depth] not in self._copied:
                self._copied.add(place[:depth])
                container[step] = _copy(container[step])
            container, step = container[step], deeper
        container[step] = value


def _copy(container: Any) -> Any:
    return dict(container) if isinstance(container, dict) else list(container)
