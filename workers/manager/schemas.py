"""JSON Schemas of inputs: looked over when a definition is kept, and held against the input of each workflow.

The dialect is 2020-12 unless `$schema` names another. What a schema refers to must stand in it: nothing is fetched.
`format` says what a text means and is not checked, as JSON Schema has it by default.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from workers.errors import MissingExtraError, WorkersError
from workers.manager.errors import InvalidError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing._core import Resolved, Resolver

Schema = Mapping[str, Any]

_SAID = 5
"""Problems in a message."""
_MOST = 50
"""Problems beside it."""
_LONGEST = 300
"""Characters of a problem: it quotes what is wrong, which may be the whole input."""


def check_schema(schema: Schema) -> None:
    """Raises `InvalidError` for what is no schema, and `MissingExtraError` where nothing reads schemas.

    It may take seconds: call it in a thread.
    """
    with _applied("inputSchema"):
        kind = _kind(schema)
        _refuse("inputSchema", _problems_of(schema, kind))
        _check_parts(schema, kind)
        _validator(schema, kind).is_valid({})


def check_input(document: Any, schema: Schema) -> None:
    """Raises `InvalidError`, with all problems, for an input that is not as the schema wants it.

    It may take seconds: call it in a thread.
    """
    with _applied("input"):
        _refuse("input", _validator(schema, _kind(schema)).iter_errors(document))


@contextmanager
def _applied(what: str) -> Iterator[None]:
    """Whatever goes wrong with a schema is the fault of who wrote it: jsonschema raises much that it does not name."""
    if find_spec("jsonschema") is None:
        raise MissingExtraError("inputSchema", "manager")
    from workers.manager.dialects import allow_time

    allow_time()
    try:
        yield
    except WorkersError:
        raise
    except RecursionError:
        said = "it refers" if what == "inputSchema" else "the inputSchema refers"
        raise InvalidError(f"{what}: it is nested too deeply, or {said} to itself without an end") from None
    except Exception as error:  # noqa: BLE001 - see above
        said = _short(f"{type(error).__name__}: {error}")
        raise InvalidError(f"inputSchema: it cannot be applied: {said}") from None


def _kind(schema: Schema) -> "type[Validator]":
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing.jsonschema import UnknownDialect, specification_with

    from workers.manager.dialects import bounded

    dialect = schema.get("$schema", Draft202012Validator.META_SCHEMA["$schema"])
    try:
        _ = specification_with(dialect if isinstance(dialect, str) else "")
    except UnknownDialect:
        raise InvalidError(f"inputSchema: $schema: {dialect!r} is no dialect that is known here") from None
    return bounded(validator_for(schema, default=Draft202012Validator))


def _validator(schema: Schema, kind: "type[Validator]") -> "Validator":
    from referencing import Registry

    # Without a registry, what it refers to would be fetched; without a resolver, each name would be searched for.
    return kind(schema, registry=Registry(), _resolver=_resolver(schema, kind))  # type: ignore[call-arg]


def _resolver(schema: Schema, kind: "type[Validator]") -> "Resolver[Any]":
    """It knows where everything in the schema is that has a name."""
    from referencing import Registry
    from referencing.jsonschema import specification_with

    whole = specification_with(kind.META_SCHEMA["$schema"]).create_resource(schema)
    uri = whole.id() or ""
    resolver: Resolver[Any] = Registry().with_resource(uri, whole).crawl().resolver(uri)
    return resolver


def _problems_of(schema: Any, kind: "type[Validator]") -> "Iterable[ValidationError]":
    from referencing import Registry

    return kind(kind.META_SCHEMA, registry=Registry(), format_checker=kind.FORMAT_CHECKER).iter_errors(schema)


def _refuse(what: str, errors: "Iterable[ValidationError]") -> None:
    """Raises `InvalidError` if there are any."""
    found = {(error.json_path, _short(error.message)): None for error in islice(errors, _MOST)}  # some are told twice
    problems = [{"path": path, "message": message} for path, message in found]
    if not problems:
        return
    said = [one["message"] if one["path"] == "$" else f"{one['path']}: {one['message']}" for one in problems[:_SAID]]
    more = [f"and {len(problems) - _SAID} more"] if len(problems) > _SAID else []
    raise InvalidError(f"{what}: {'; '.join(said + more)}", problems=problems)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def _check_parts(schema: Schema, kind: "type[Validator]") -> None:
    """Looks at each part that is a schema, and at what they refer to, which may stand where no schema does."""
    from referencing.jsonschema import specification_with

    specification = specification_with(kind.META_SCHEMA["$schema"])
    parts = [(specification.create_resource(schema), _resolver(schema, kind))]
    references: list[tuple[Any, Resolver[Any]]] = []
    seen: set[int] = set()
    keywords: set[str] = set()
    while parts or references:
        if not parts:
            ref, resolver = references.pop()
            found = _found(ref, resolver)
            if id(found.contents) not in seen:
                _refuse(f"inputSchema: what {ref!r} refers to", _problems_of(found.contents, kind))
                parts.append((specification.create_resource(found.contents), found.resolver))
            continue
        part, resolver = parts.pop()
        if id(part.contents) in seen:
            continue
        seen.add(id(part.contents))
        if isinstance(part.contents, Mapping):
            keywords |= part.contents.keys()
            _check_part(part.contents, kind)
            references += [(part.contents[key], resolver) for key in ("$ref", "$dynamicRef") if key in part.contents]
        parts += [(inner, resolver.in_subresource(inner)) for inner in part.subresources()]
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        raise InvalidError("inputSchema: patternProperties and unevaluatedProperties cannot be used together here")


def _check_part(part: Schema, kind: "type[Validator]") -> None:
    from workers.manager.dialects import check_pattern

    whole = kind.META_SCHEMA["$schema"]
    if str(part.get("$schema", whole)).rstrip("#") != whole.rstrip("#"):
        raise InvalidError(f"inputSchema: $schema: {part['$schema']!r} in a part: the whole has one dialect, {whole!r}")
    for pattern in [*part.get("patternProperties", ()), *([part["pattern"]] if "pattern" in part else ())]:
        check_pattern(pattern)


def _found(ref: Any, resolver: "Resolver[Any]") -> "Resolved[Any]":
    from referencing.exceptions import Unresolvable

    try:
        return resolver.lookup(ref)
    except (Unresolvable, AttributeError, TypeError, ValueError):  # the others: a pointer through what has no parts
        raise InvalidError(f"inputSchema: it refers to {ref!r}, which is not in it") from None
