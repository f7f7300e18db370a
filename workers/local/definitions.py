"""Definitions: what CreateStateMachine accepts, turned into what the interpreter runs."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

from workers.local.errors import invalid_definition
from workers.local.seams import asl_parser

Program = Any
"""A parsed definition. It is never changed, and any number of executions may run it at once."""

_ACTIVITY = re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:activity:.+", re.ASCII)
_parsing = threading.Lock()


def parse(definition: str, *, express: bool = False) -> Program:
    """Returns the program that the JSON text `definition` describes; `express`: for an Express state machine.

    Raises `ApiError` InvalidDefinition.
    """
    try:
        document = json.loads(definition)
    except ValueError as error:
        raise invalid_definition(f"INVALID_JSON_DESCRIPTION: {error}") from None
    except RecursionError:
        raise invalid_definition("INVALID_JSON_DESCRIPTION: nested too deeply") from None
    if not isinstance(document, dict):
        raise invalid_definition("INVALID_JSON_DESCRIPTION: expected a JSON object")
    for complaint in _complaints(document, "", express=express):
        raise invalid_definition(complaint)
    try:
        with _parsing:  # the parser's tables are shared
            return asl_parser.AmazonStateLanguageParser.parse(_plain(document))[0]
    except asl_parser.ASLParserException as error:
        raise invalid_definition(f"SCHEMA_VALIDATION_FAILED: {'; '.join(error.errors)}") from None
    except Exception as error:  # noqa: BLE001 - the parser raises whatever a part of it stumbles over
        raise invalid_definition(f"SCHEMA_VALIDATION_FAILED: {error}") from None


def _plain(document: dict[str, Any]) -> str:
    """The definition without escapes like \\u00e9, which the parser would leave in the texts of functions."""
    return json.dumps(document, ensure_ascii=False)


def _complaints(machine: dict[str, Any], where: str, *, express: bool) -> Iterator[str]:
    """What AWS refuses and the parser lets pass: missing parts, targets that do not exist, Express limits."""
    missing = [name for name in ("StartAt", "States") if name not in machine]
    if missing:
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required: [{', '.join(missing)}] at {where or '/'}"
        return
    states = machine["States"]
    if not isinstance(states, dict) or not all(isinstance(state, dict) for state in states.values()):
        yield f"SCHEMA_VALIDATION_FAILED: States is not an object of states at {where}/States"
        return
    for target, place in _targets(machine, states, where):
        if target not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {place}"
    for name, state in states.items():
        place = f"{where}/States/{name}"
        if express and (complaint := _not_for_express(state.get("Resource"))):
            yield f"SCHEMA_VALIDATION_FAILED: Express state machine does not support {complaint} at {place}/Resource"
        for inner, path in _machines_within(state, place):
            yield from _complaints(inner, path, express=express)


def _targets(machine: dict[str, Any], states: dict[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    yield machine["StartAt"], f"{where}/StartAt"
    for name, state in states.items():
        place = f"{where}/States/{name}"
        for field in ("Next", "Default"):
            if field in state:
                yield state[field], f"{place}/{field}"
        for field in ("Choices", "Catch"):
            rules = state.get(field)
            for number, rule in enumerate(rules if isinstance(rules, list) else ()):
                if isinstance(rule, dict) and "Next" in rule:
                    yield rule["Next"], f"{place}/{field}[{number}]/Next"


def _machines_within(state: dict[str, Any], where: str) -> Iterator[tuple[dict[str, Any], str]]:
    branches = state.get("Branches")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            yield branch, f"{where}/Branches[{number}]"
    for field in ("Iterator", "ItemProcessor"):
        if isinstance(state.get(field), dict):
            yield state[field], f"{where}/{field}"


def _not_for_express(resource: Any) -> str | None:
    if not isinstance(resource, str):
        return None
    if _ACTIVITY.fullmatch(resource):
        return "Activity ARN"
    for pattern in (".waitForTaskToken", ".sync"):
        if pattern in resource:
            return f"'{pattern}' service integration"
    return None
