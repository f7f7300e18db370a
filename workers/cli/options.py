"""Command line options made from settings models, so that a flag, its variable and its help have one source."""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, TypeVar, get_args

import click
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from workers.settings import Settings, flag, variable

F = TypeVar("F", bound=Callable[..., Any])


def settings_options(model: type[Settings], only: Mapping[str, str | None] | None = None) -> Callable[[F], F]:
    """One option for each field of `model`. Only what was typed is passed on: the model reads the variables.

    `only`: the fields that are wanted, each with a description of its own, or None for the field's.
    """
    wanted = dict.fromkeys(model.model_fields) if only is None else only

    def decorate(command: F) -> F:
        for name, description in reversed(list(wanted.items())):
            field = model.model_fields[name]
            command = _option(name, field, description or str(field.description))(command)
        return command

    return decorate


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were typed."""
    return {name: value for name, value in options.items() if value is not None}


def _option(name: str, field: FieldInfo, description: str) -> Callable[[F], F]:
    text = f"{description}  [{variable(name)}]"
    if field.annotation is bool:
        declaration = f"{flag(name)}/--no-{flag(name)[2:]}" if field.default else flag(name)
        return click.option(declaration, name, is_flag=True, default=None, help=text)
    default = (
        ""
        if field.default in {None, PydanticUndefined}
        else f" [default: {field.default:g}]"
        if isinstance(field.default, int | float)
        else f" [default: {field.default}]"
    )
    return click.option(flag(name), name, metavar=_metavar(field), default=None, help=text + default)


def _metavar(field: FieldInfo) -> str:
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType] or [field.annotation]
    if int in kinds or float in kinds:
        return "SECONDS" if "seconds" in str(field.description).lower() else "N"
    return "|".join(kinds) if all(isinstance(kind, str) for kind in kinds) else "TEXT"
