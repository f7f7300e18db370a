"""Answers: models as JSON, nothing, and what was wrong as `{"message": …}`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from workers.manager.model import Model


def answer(value: Model | Iterable[Model] | Mapping[str, Any], *, status: int = 200) -> Response:
    """A model, a list of models or a plain object as JSON; fields that are None are left out."""
    if isinstance(value, Model):
        document: Any = value.to_json()
    elif isinstance(value, Mapping):
        document = value
    else:
        document = [one.to_json() for one in value]
    return _json(document, status)


def done(status: int = 200) -> Response:
    """An answer without a body."""
    return Response(status_code=status)


def refuse(
    status: int, message: str, *, headers: Mapping[str, str] | None = None, problems: Iterable[Any] = ()
) -> Response:
    """What was wrong."""
    document: dict[str, Any] = {"message": message}
    if found := list(problems):
        document["problems"] = found
    response = _json(document, status)
    response.headers.update(headers or {})
    return response


def _json(document: Any, status: int) -> Response:
    encoded = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Response(encoded, status_code=status, media_type="application/json")
