"""State machines: their model, the notation they are written in, validation, pictures, rendering.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.machines.activities import delete_activity as delete_activity
    from workers.machines.activities import describe_activity as describe_activity
    from workers.machines.activities import ensure_activities as ensure_activities
    from workers.machines.activities import list_activities as list_activities
    from workers.machines.definition import Definition as Definition
    from workers.machines.definition import from_asl as from_asl
    from workers.machines.definition import load as load
    from workers.machines.definition import parse as parse
    from workers.machines.definition import to_asl as to_asl
    from workers.machines.definition import validate as validate
    from workers.machines.model.machine import StateMachine as StateMachine
    from workers.machines.notation.operators import var as var
    from workers.machines.pictures import draw as draw
    from workers.machines.pictures import draw_data as draw_data
    from workers.machines.pictures import draw_tree as draw_tree
    from workers.machines.problems import InvalidDefinitionError as InvalidDefinitionError
    from workers.machines.problems import Problem as Problem
    from workers.machines.problems import Severity as Severity
    from workers.machines.registration.configuration import Logging as Logging
    from workers.machines.registration.difference import diff as diff
    from workers.machines.registration.ensure import ensure_state_machine as ensure_state_machine
    from workers.machines.registration.machines import delete_state_machine as delete_state_machine
    from workers.machines.registration.machines import describe_state_machine as describe_state_machine
    from workers.machines.registration.machines import list_state_machines as list_state_machines
    from workers.machines.registration.results import Registered as Registered
    from workers.machines.rendering import render as render


_HOMES = {
    "Definition": "workers.machines.definition",
    "InvalidDefinitionError": "workers.machines.problems",
    "Logging": "workers.machines.registration.configuration",
    "Problem": "workers.machines.problems",
    "Registered": "workers.machines.registration.results",
    "Severity": "workers.machines.problems",
    "StateMachine": "workers.machines.model.machine",
    "delete_activity": "workers.machines.activities",
    "delete_state_machine": "workers.machines.registration.machines",
    "describe_activity": "workers.machines.activities",
    "describe_state_machine": "workers.machines.registration.machines",
    "diff": "workers.machines.registration.difference",
    "draw": "workers.machines.pictures",
    "draw_data": "workers.machines.pictures",
    "draw_tree": "workers.machines.pictures",
    "ensure_activities": "workers.machines.activities",
    "ensure_state_machine": "workers.machines.registration.ensure",
    "from_asl": "workers.machines.definition",
    "list_activities": "workers.machines.activities",
    "list_state_machines": "workers.machines.registration.machines",
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
