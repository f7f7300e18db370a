"""State machines: their model, the notation they are written in, validation, pictures, rendering.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.machines.definition import Definition as Definition
    from workers.machines.definition import from_asl as from_asl
    from workers.machines.definition import load as load
    from workers.machines.definition import parse as parse
    from workers.machines.definition import to_asl as to_asl
    from workers.machines.definition import validate as validate
    from workers.machines.model.machine import StateMachine as StateMachine
    from workers.machines.notation.operators import var as var
    from workers.machines.pictures import draw as draw
    from workers.machines.pictures import draw_tree as draw_tree
    from workers.machines.problems import InvalidDefinitionError as InvalidDefinitionError
    from workers.machines.problems import Problem as Problem
    from workers.machines.problems import Severity as Severity
    from workers.machines.rendering import render as render

_HOMES = {
    "Definition": "workers.machines.definition",
    "InvalidDefinitionError": "workers.machines.problems",
    "Problem": "workers.machines.problems",
    "Severity": "workers.machines.problems",
    "StateMachine": "workers.machines.model.machine",
    "draw": "workers.machines.pictures",
    "draw_tree": "workers.machines.pictures",
    "from_asl": "workers.machines.definition",
    "load": "workers.machines.definition",
    "parse": "workers.machines.definition",
    "render": "workers.machines.rendering",
    "to_asl": "workers.machines.definition",
    "validate": "workers.machines.definition",
    "var": "workers.machines.notation.operators",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workers.machines' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
