"""The `WORKERS_…` variables of an environment: which of them mean nothing, and where each setting comes from."""

import difflib
from collections.abc import Collection, Iterable
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
            closest = difflib.get_close_matches(rest, known, n=1)
            found.append(Unknown(name, known[closest[0]] if closest else None))
    return found


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
