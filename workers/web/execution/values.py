"""Values as people read them: causes as tracebacks, and the claims in documents."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.payloads.claim import Claim, is_escaped, looks_like_claim
from workers.payloads.document import nodes
from workers.payloads.errors import PayloadMalformedError

_MOST_CLAIMS = 50
_SHOWN = 20_000
"""Characters of a document that are shown until somebody asks for all: browsers take long to lay out a megabyte."""
_encoder = json.JSONEncoder(indent=2, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and what is known of it."""

    error: str
    message: str
    """In one line or a few."""
    traceback: str = ""
    """As Python prints it, where the cause is one of ours."""
    details: Any = None
    """The cause where it is other JSON."""


@dataclass(frozen=True, slots=True)
class FoundClaim:
    """A claim in a document, and where in it."""

    claim: Claim
    place: str
    """`$.order.items[3]`."""


def failure_of(details: Mapping[str, Any]) -> Failure | None:
    """The failure in the details of an event, or of an execution."""
    error, cause = details.get("error"), details.get("cause")
    if error is None and cause is None:
        return None
    found = _decoded(cause)
    if not isinstance(found, dict):
        return Failure(str(error or "error"), "" if found is None else str(found))
    trace = found.get("stackTrace", found.get("trace"))
    message = found.get("errorMessage")
    if not isinstance(message, str):
        return Failure(str(error or "error"), "", details=found)
    lines = "\n".join(map(str, trace)) if isinstance(trace, list) else ""
    others = {key: value for key, value in found.items() if key not in {"errorType", "errorMessage", "stackTrace"}}
    return Failure(str(error or found.get("errorType", "error")), message, lines, others or None)


@dataclass(frozen=True, slots=True)
class Text:
    """A document over several lines, or its beginning."""

    text: str
    is_cut: bool


def text_of(document: Any, *, whole: bool = False) -> Text:
    """A JSON document as text; without `whole` only as much as is quickly shown."""
    if isinstance(document, str):
        return Text(document, False) if whole or len(document) <= _SHOWN else Text(document[:_SHOWN], True)
    if whole:
        return Text(_encoder.encode(document), False)
    found, length = [], 0
    for part in _encoder.iterencode(document):
        found.append(part)
        length += len(part)
        if length > _SHOWN:
            return Text("".join(found)[:_SHOWN], True)
    return Text("".join(found), False)


def claims_in(document: Any) -> list[FoundClaim]:
    """The claims in a document, at any depth; what only looks like one is none."""
    found = []
    for place, value in nodes(document):
        if looks_like_claim(value) and not is_escaped(value):
            try:
                found.append(FoundClaim(Claim.from_json(value), _path(place)))
            except PayloadMalformedError:
                continue
        if len(found) == _MOST_CLAIMS:
            break
    return found


def _path(place: tuple[Any, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)


def _decoded(cause: Any) -> Any:
    if not isinstance(cause, str) or not cause.startswith("{"):
        return cause
    try:
        return json.loads(cause)
    except (ValueError, RecursionError):
        return cause  # cut somewhere, or no JSON
