"""What somebody wants registered: names become ARNs, and the definition ASL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from workers.arns import check_name, namespaced
from workers.errors import UsageError
from workers.machines.definition import Definition, load
from workers.machines.model.machine import StateMachine
from workers.machines.registration.configuration import Configuration, Logging
from workers.stepfunctions.account import Account

_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+", re.ASCII)

Given = str | Path | Mapping[str, Any] | StateMachine | Definition
"""A definition: a file, Python data, a model."""


class Options(TypedDict, total=False):
    """What may be said of a state machine beside its definition."""

    role: str | None
    express: bool | None
    logging: Logging | None
    tracing: bool | None
    tags: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A state machine as it is to be."""

    name: str
    """In the namespace."""
    arn: str
    configuration: Configuration
    activities: tuple[str, ...]
    """The ARNs of the activities that the definition uses."""
    source: str
    """Where the definition comes from."""


def wanted(account: Account, name: str, definition: Given, options: Options) -> Wanted:
    """What `options` and `definition` mean in `account`.

    Raises `InvalidDefinitionError`, and `UsageError` for a name or a role that AWS would refuse.
    """
    name = check_name(namespaced(name, account.namespace), "state machine")
    source = load(definition)
    logging = options.get("logging")
    return Wanted(
        name,
        account.place.state_machine(name),
        Configuration(
            definition=source.to_asl(place=account.place, namespace=account.namespace),
            role=_checked(options.get("role")),
            express=options.get("express"),
            logging=logging.to_aws(account.place) if logging else None,
            tracing=options.get("tracing"),
            tags=options.get("tags"),
        ),
        source.activities(place=account.place, namespace=account.namespace),
        source.name,
    )


def _checked(role: str | None) -> str | None:
    if role is not None and not _ROLE.fullmatch(role):
        raise UsageError(f"{role!r} is not the ARN of a role: write arn:aws:iam::ACCOUNT:role/NAME")
    return role
