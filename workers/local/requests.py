"""Checks a request against AWS's own model of the service, which botocore carries: required members, types,
lengths, ranges, patterns and enumerations of every operation, worded as AWS words them.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workers.local.errors import ApiError, validation

Shape = dict[str, Any]
Check = Callable[[Any, str], Iterator[str]]

# Documents are limited in bytes of UTF-8; all other strings in characters (Step Functions quotas).
_COUNTED_IN_BYTES = {"SensitiveData", "SensitiveDataJobInput", "Definition"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
}


def operations() -> frozenset[str]:
    """The names of all operations that AWS has."""
    return frozenset(_model()["operations"])


def check(operation: str, request: Any) -> dict[str, Any]:
    """Returns the parameters of a request: its members without those that are null.

    Raises `ApiError`: ValidationException for what the model of `operation` forbids, SerializationException for
    a member of another type.
    """
    if not isinstance(request, dict):
        raise ApiError("SerializationException", "the request is not a JSON object")
    problems = list(_checks(_model()["operations"][operation]["input"]["shape"])(request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise validation(f"{count}: {'; '.join(problems)}")
    return {name: value for name, value in request.items() if value is not None}


@cache
def _model() -> dict[str, Any]:
    """Read from botocore's files without importing it, which would take longer than the engine takes to start."""
    found = find_spec("botocore")
    folders = (found and found.submodule_search_locations) or []
    path = max(path for folder in folders for path in Path(folder).glob("data/stepfunctions/*/service-2.json*"))
    content = path.read_bytes()
    model: dict[str, Any] = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return model


@cache
def _checks(name: str) -> Check:
    shape: Shape = _model()["shapes"][name]
    parts = [_limits(name, shape)]
    if shape["type"] == "structure":
        parts.append(_members(shape))
    elif shape["type"] == "list":
        parts.append(_elements(shape))
    expected = _TYPES.get(shape["type"], object)

    def checks(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise ApiError("SerializationException", f"{where or 'the request'} is not of type {shape['type']}")
        for part in parts:
            yield from part(value, where)

    return checks


def _members(shape: Shape) -> Check:
    required = shape.get("required", ())
    members = {member: _checks(of["shape"]) for member, of in shape["members"].items()}

    def checks(value: Any, where: str) -> Iterator[str]:
        for member in required:
            if value.get(member) is None:
                yield _problem("null", f"{where}{member}", "Member must not be null")
        for member, check_member in members.items():
            if value.get(member) is not None:
                yield from check_member(value[member], f"{where}{member}")

    return checks


def _elements(shape: Shape) -> Check:
    check_element = _checks(shape["member"]["shape"])

    def checks(value: Any, where: str) -> Iterator[str]:
        for number, element in enumerate(value, start=1):
            yield from check_element(element, f"{where}.{number}.member.")

    return checks


def _limits(name: str, shape: Shape) -> Check:
    least, most, kind = shape.get("min"), shape.get("max"), shape["type"]
    measured, what = (len, "length") if kind in {"string", "list"} else (lambda number: number, "value")
    if name in _COUNTED_IN_BYTES:
        measured = _utf8_length
    pattern = re.compile(shape["pattern"].replace(r"\p{ASCII}", r"[\x00-\x7f]")) if "pattern" in shape else None
    values = shape.get("enum")

    def checks(value: Any, where: str) -> Iterator[str]:
        shown, where = None if shape.get("sensitive") else f"'{value}'", where.rstrip(".")
        if least is not None and measured(value) < least:
            yield _problem(shown, where, f"Member must have {what} greater than or equal to {least}")
        if most is not None and measured(value) > most:
            yield _problem(shown, where, f"Member must have {what} less than or equal to {most}")
        if pattern and not pattern.fullmatch(value):
            yield _problem(shown, where, f"Member must satisfy regular expression pattern: {shape['pattern']}")
        if values and value not in values:
            yield _problem(shown, where, f"Member must satisfy enum value set: [{', '.join(values)}]")

    return checks


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _problem(value: str | None, where: str, rule: str) -> str:
    return f"Value {value + ' ' if value else ''}at '{where}' failed to satisfy constraint: {rule}"
