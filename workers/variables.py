"""The `WORKERS_…` variables of an environment: which of them mean nothing, and where each setting comes from."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.settings import ENV_PREFIX, Settings, flag, variable

COMMANDS = (
    "activities",
    "definitions",
    "demo",
    "dev",
    "doctor",
    "exec",
    "executions",
    "iam",
    "invoke",
    "local",
    "machines",
    "payloads",
    "replay",
    "serve",
    "workflows",
)
"""Commands whose variables begin with their name, as WORKERS_SERVE_PORT; those of `run` have no prefix."""
_CLIENTS = f"{ENV_PREFIX}MANAGER_"
"""What `definitions` and `workflows` read to find a workflow manager: WORKERS_MANAGER_URL, WORKERS_MANAGER_TOKEN."""
_BESIDE_OPTIONS = ("SERVE_TOKENS", "SERVE_READ_ONLY_TOKENS", "SERVE_CALLBACK_TOKENS", "EXECUTIONS_UI")
"""What commands read although no option of theirs says so."""
_KUBERNETES = (f"{ENV_PREFIX}SERVICE_", f"{ENV_PREFIX}PORT")
"""What Kubernetes puts into every container for a Service named `workers`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A variable that nothing reads, and the one that was probably meant."""

    name: str
    closest: str | None


def unknown_variables(environment: Iterable[str]) -> list[Unknown]:
    """The variables among `environment` that begin with WORKERS_ and that no command reads, by name."""
    known = {variable(name).removeprefix(ENV_PREFIX): variable(name) for name in Settings.model_fields}
    others = (*(f"{ENV_PREFIX}{command.upper()}_" for command in COMMANDS), _CLIENTS, *_KUBERNETES)
    found = []
    for name in sorted(environment):
        upper = name.upper()
        rest = upper.removeprefix(ENV_PREFIX)
        if upper.startswith(ENV_PREFIX) and rest not in known and not upper.startswith(others):
            found.append(Unknown(name, _closest(rest, known)))
    return found


def unknown_variables_of(command: str, read: Iterable[str], environment: Iterable[str]) -> list[Unknown]:
    """The variables among `environment` that begin as those of `command` and that it does not read, by name.

    `read`: the variables of its options. The variables of `run` have no beginning of their own: none is found for it.
    """
    own = f"{ENV_PREFIX}{command.upper()}_"
    known = {*read, *(f"{ENV_PREFIX}{name}" for name in _BESIDE_OPTIONS)}
    prefixes = (own, _CLIENTS) if any(name.startswith(_CLIENTS) for name in known) else (own,)
    if command not in COMMANDS:
        return []
    # What was meant may also be a setting, with the command's name before it.
    meant = {_rest(variable(name), prefixes): variable(name) for name in Settings.model_fields}
    meant |= {_rest(name, prefixes): name for name in known if name.startswith(prefixes)}
    unknown = sorted(name for name in environment if name not in known and name.upper().startswith(prefixes))
    return [Unknown(name, _closest(_rest(name.upper(), prefixes), meant)) for name in unknown]


def _rest(name: str, prefixes: Iterable[str]) -> str:
    return name.removeprefix(next((prefix for prefix in prefixes if name.startswith(prefix)), ENV_PREFIX))


def _closest(rest: str, known: Mapping[str, str]) -> str | None:
    """Of the variables in `known`, each by what follows its beginning, the one whose rest is closest."""
    closest = difflib.get_close_matches(rest, known, n=1)
    return known[closest[0]] if closest else None


@dataclass(frozen=True, slots=True)
class Origin:
    """The value of a setting, and where it comes from: its flag, its variable, or `default`."""

    name: str
    value: Any
    origin: str


def origins(settings: Settings, given: Collection[str]) -> list[Origin]:
    """Each setting in the order of its declaration; `given` names those that were flags."""

    def origin(name: str) -> str:
        if name in given:
            return flag(name) if getattr(settings, name) is not False else f"--no-{flag(name)[2:]}"
        return variable(name) if name in settings.model_fields_set else "default"

    return [Origin(name, getattr(settings, name), origin(name)) for name in type(settings).model_fields]
