"""Validators of JSON Schemas whose time is bounded: neither a schema nor an input may stop the service.

Those of jsonschema do what a schema says, however long it takes: regular expressions that backtrack, references that
double at each level, items compared each with each. Here expressions are those of Rust, which take linear time, unique
items are a set, and the rest ends with the processor time it may take.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any

import attrs
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from pydantic_core import SchemaError, SchemaValidator, core_schema

from workers.manager.errors import InvalidError

SECONDS = 5.0
"""Processor time of one validation. A value costs 10 to 30 microseconds for each schema that it is held against."""
_MOST_UNEVALUATED = 2_000
"""Items that `unevaluatedItems` looks at, and properties, likewise: jsonschema compares each of them with each."""

_PATTERNS = 128
"""Regular expressions that are kept: each may take up to 10 MiB."""
_Validator = Any  # its protocol leaves `descend` out
_until: ContextVar[float] = ContextVar("until")


@lru_cache
def bounded(kind: type[Validator]) -> type[Validator]:
    """The dialect of `kind`, in bounded time: `allowed_time` starts anew with each document."""
    rules = {
        name: rule(kind.VALIDATORS[name]) if delegates else rule
        for name, (rule, delegates) in _RULES.items()
        if name in kind.VALIDATORS
    }
    own: type[Validator] = extend(kind, validators=rules)  # type: ignore[no-untyped-call]
    # It is called for each schema that a value is held against. That of jsonschema would take another, unbounded class
    # for a part with a $schema.
    own.evolve = _evolved  # type: ignore[method-assign]
    return own


def allow_time() -> None:
    """From now on validations of this thread may take `SECONDS`."""
    _until.set(time.thread_time() + SECONDS)


def check_pattern(pattern: str) -> None:
    """Raises `InvalidError` for a regular expression that takes more than linear time, or that is none."""
    _ = _compiled(pattern)


@lru_cache(maxsize=_PATTERNS)
def _compiled(pattern: str) -> SchemaValidator:
    _check_time()
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, strict=True))
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
        raise InvalidError(
            f"inputSchema: the pattern {pattern[:100]!r} cannot be used: {reason}. Patterns are regular expressions "
            "that take linear time: no look-around, no backreferences, no large repeats of large classes"
        ) from None


def _evolved(self: Validator, **changes: Any) -> Validator:
    _check_time()
    return attrs.evolve(self, **changes)  # type: ignore[misc]


def _check_time() -> None:
    if time.thread_time() > _until.get():
        raise InvalidError(
            f"inputSchema: it takes more than {SECONDS:g} seconds of processor time to apply it. Refer to the same "
            "part fewer times, or take a smaller input"
        )


def _pattern(_: _Validator, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _compiled(pattern).isinstance_python(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: _Validator, parts: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if not isinstance(value, Mapping):
        return
    for pattern, part in parts.items():
        matches = _compiled(pattern).isinstance_python
        for name in filter(matches, value):
            yield from validator.descend(value[name], part, path=name, schema_path=pattern)


def _additional_properties(rule: Any) -> Any:
    def look(validator: _Validator, allowed: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(value, Mapping):
            return
        known = schema.get("properties", {})
        patterns = [_compiled(pattern).isinstance_python for pattern in schema.get("patternProperties", {})]
        rest = {
            name: one
            for name, one in value.items()
            if name not in known and not any(matches(name) for matches in patterns)
        }
        yield from rule(validator, allowed, rest, {})

    return look


def _unique_items(_: _Validator, wanted: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list) and len({_canonical(item) for item in value}) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _canonical(value: Any) -> str:
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    """The value with 1 for 1.0, which are the same number."""
    if isinstance(value, Mapping):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _any_of(validator: _Validator, parts: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if not any(_fits(validator, part, value) for part in parts):
        yield ValidationError(f"{value!r} is not valid under any of the given schemas")


def _one_of(validator: _Validator, parts: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    fitting = [*islice((part for part in parts if _fits(validator, part, value)), 2)]
    if not fitting:
        yield ValidationError(f"{value!r} is not valid under any of the given schemas")
    elif len(fitting) > 1:
        yield ValidationError(f"{value!r} is valid under each of {fitting[0]!r}, {fitting[1]!r}")


def _fits(validator: _Validator, part: Any, value: Any) -> bool:
    """Only the first problem is looked for: each quotes the value, and all of them might not fit in memory."""
    return next(iter(validator.descend(value, part)), None) is None


def _unevaluated(rule: Any) -> Any:
    def look(validator: _Validator, part: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, Mapping | list) and len(value) > _MOST_UNEVALUATED:
            yield ValidationError(
                f"there are {len(value):,} items, and unevaluatedItems and unevaluatedProperties look at "
                f"{_MOST_UNEVALUATED:,} at most"
            )
        else:
            yield from rule(validator, part, value, schema)

    return look


_RULES: Mapping[str, tuple[Any, bool]] = {
    "pattern": (_pattern, False),
    "patternProperties": (_pattern_properties, False),
    "additionalProperties": (_additional_properties, True),
    "uniqueItems": (_unique_items, False),
    "anyOf": (_any_of, False),
    "oneOf": (_one_of, False),
    "unevaluatedItems": (_unevaluated, True),
    "unevaluatedProperties": (_unevaluated, True),
}
"""Keywords that are looked at in another way than by jsonschema, and whether they are made from its own."""
