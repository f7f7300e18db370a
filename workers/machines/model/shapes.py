"""The models seen as tables: which keys an object of the language has, and what each holds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

from workers.machines.model.base import Part
from workers.machines.model.conditions import CONDITION_KEYS
from workers.machines.model.kinds import Kind, Only, QueryLanguage
from workers.machines.model.machine import STATE_TYPES

_SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object of the language."""

    asl: str
    """As ASL writes it: `TimeoutSeconds`."""
    snake: str
    """As the notation writes it: `timeout_seconds`."""
    kind: Kind
    language: QueryLanguage | None
    """The query language in which alone it exists."""
    required: bool
    part: type[Part] | None
    """The model of the object, or of the objects in the list, that it holds."""
    many: bool
    """Whether it holds a list of objects."""


Shape = Mapping[str, Key]
"""The keys of an object by their ASL name."""


def snake_case(key: str) -> str:
    """`CSVHeaderLocation` as `csv_header_location`."""
    return _SNAKE.sub("_", key).lower()


@cache
def shape(part: type[Part]) -> Shape:
    """The keys of `part`, without `Type` and without the keys of conditions."""
    return MappingProxyType({key.asl: key for key in _keys(part)})


@cache
def any_state() -> Shape:
    """The keys of all states together: for a state whose type is not known."""
    keys = {name: key for state in STATE_TYPES.values() for name, key in shape(state).items()}
    return MappingProxyType({name: replace(key, required=False) for name, key in keys.items()})


def asl_name(key: object) -> str:
    """The ASL name of the key that the notation writes as `key`, wherever it may stand; else `key` itself."""
    return _asl_names().get(str(key), str(key))


@cache
def asl_keys() -> frozenset[str]:
    """All keys of the language."""
    return frozenset(_asl_names().values()) | CONDITION_KEYS | {"Type"}


@cache
def _asl_names() -> dict[str, str]:
    return {key.snake: key.asl for part in _all_parts(Part) for key in shape(part).values()}


def _all_parts(part: type[Part]) -> Iterator[type[Part]]:
    yield part
    for narrower in part.__subclasses__():
        yield from _all_parts(narrower)


@cache
def owners(key: str) -> tuple[str, ...]:
    """The types of the states that have `key`."""
    return tuple(name for name, state in STATE_TYPES.items() if key in shape(state))


def _keys(part: type[Part]) -> list[Key]:
    found = []
    for field in part.model_fields.values():
        kinds = [item for item in field.metadata if isinstance(item, Kind)]
        if not kinds or not field.alias:
            continue
        languages = [item.language for item in field.metadata if isinstance(item, Only)]
        found.append(
            Key(
                asl=field.alias,
                snake=snake_case(field.alias),
                kind=kinds[0],
                language=languages[0] if languages else None,
                required=field.is_required(),
                part=_part(field.annotation),
                many=getattr(field.annotation, "__origin__", None) is list,
            )
        )
    return found


def _part(annotation: Any) -> type[Part] | None:
    """The model in `X`, `X | None` and `list[X]`; None for a `dict` of states, which are of several models."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    if getattr(annotation, "__origin__", None) is dict:
        return None
    return next(filter(None, map(_part, get_args(annotation))), None)
