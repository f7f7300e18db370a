"""JSON Schemas of inputs: looked over when a definition is kept, and held against the input of each workflow.

The dialect is 2020-12 unless `$schema` names another. What a schema refers to must stand in it: nothing is fetched.
`format` says what a text means and is not checked, as JSON Schema has it by default.
"""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from workers.errors import MissingExtraError
from workers.manager.errors import InvalidError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing import Resource
    from referencing.typing import URI

Schema = Mapping[str, Any]

_SAID = 5
"""Problems in a message."""
_MOST = 50
"""Problems beside it."""
_LONGEST = 300
"""Characters of a problem: it quotes what is wrong, which may be the whole input."""


def check_schema(schema: Schema) -> None:
    """Raises `InvalidError` for what is no schema, and `MissingExtraError` where nothing reads schemas."""
    validator = _validator(schema)
    own = type(validator)
    _refuse("inputSchema", own(own.META_SCHEMA, format_checker=own.FORMAT_CHECKER).iter_errors(schema))
    for ref in _lost(schema):
        raise InvalidError(f"inputSchema: it refers to {ref!r}, which is not in it")
    try:
        validator.is_valid({})
    except RecursionError:
        raise _endless() from None


def check_input(document: Any, schema: Schema) -> None:
    """Raises `InvalidError`, with all problems, for an input that is not as the schema wants it."""
    try:
        _refuse("input", _validator(schema).iter_errors(document))
    except RecursionError:
        raise _endless() from None


def _validator(schema: Schema) -> "Validator":
    if find_spec("jsonschema") is None:
        raise MissingExtraError("inputSchema", "manager")
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.jsonschema import UnknownDialect, specification_with

    dialect = schema.get("$schema", Draft202012Validator.META_SCHEMA["$schema"])
    try:
        _ = specification_with(dialect if isinstance(dialect, str) else "")
    except UnknownDialect:
        raise InvalidError(f"inputSchema: $schema: {dialect!r} is no dialect that is known here") from None
    kind = validator_for(schema, default=Draft202012Validator)
    return kind(schema, registry=Registry())  # without one, what it refers to would be fetched


def _refuse(what: str, errors: "Iterable[ValidationError]") -> None:
    """Raises `InvalidError` if there are any."""
    problems = [{"path": error.json_path, "message": _short(error.message)} for error in islice(errors, _MOST)]
    if not problems:
        return
    said = [one["message"] if one["path"] == "$" else f"{one['path']}: {one['message']}" for one in problems[:_SAID]]
    more = [f"and {len(problems) - _SAID} more"] if len(problems) > _SAID else []
    raise InvalidError(f"{what}: {'; '.join(said + more)}", problems=problems)


def _endless() -> InvalidError:
    return InvalidError("inputSchema: it refers to itself without an end")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def _lost(schema: Schema) -> "Iterable[URI]":
    """What the schema refers to, and what is not there."""
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    whole = Resource.from_contents(schema, default_specification=DRAFT202012)
    waiting = [(whole, Registry().resolver_with_root(whole))]
    while waiting:
        part, resolver = waiting.pop()
        for ref in _references(part):
            try:
                resolver.lookup(ref)
            except Unresolvable:
                yield ref
        waiting += [(inner, resolver.in_subresource(inner)) for inner in part.subresources()]


def _references(part: "Resource[Any]") -> "Iterable[URI]":
    if isinstance(part.contents, Mapping):
        yield from (part.contents[key] for key in ("$ref", "$dynamicRef") if key in part.contents)
