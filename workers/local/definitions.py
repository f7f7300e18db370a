"""Definitions: what CreateStateMachine accepts, turned into programs."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from workers.local.errors import invalid_definition
from workers.local.program import Program, compiled
from workers.machines.loading.json_text import read_json
from workers.machines.model.machine import StateMachine
from workers.machines.problems import Finding, Severity
from workers.machines.validation.checker import check

_BACKTICKS = re.compile(r"`([^`]+)`")
_MISSING = re.compile(r"`(\w+)` is missing")
_KNOWN_PROGRAMS = 256


class Complaint(NamedTuple):
    """Something wrong with a definition, as ValidateStateMachineDefinition tells it."""

    code: str
    message: str
    location: str
    severity: str


def parse(definition: str, *, express: bool = False) -> Program:
    """Returns the program that the JSON text `definition` describes; `express`: for an Express state machine.

    Raises `ApiError` InvalidDefinition.
    """
    document, complaints = _judged(definition, express=express)
    for complaint in complaints:
        if complaint.severity == "ERROR":
            raise invalid_definition(f"{complaint.code}: {complaint.message}")
    return _program(definition, document)


def complaints(definition: str, *, express: bool = False) -> list[Complaint]:
    """All that is wrong with the JSON text `definition`."""
    return _judged(definition, express=express)[1]


def program(definition: str) -> Program:
    """The program of a definition that was accepted before."""
    return _compiled(definition)


def _judged(definition: str, *, express: bool) -> tuple[Any, list[Complaint]]:
    try:
        source = read_json(definition, "the definition")
    except RecursionError:
        return None, [Complaint("INVALID_JSON_DESCRIPTION", "nested too deeply", "/", "ERROR")]
    document = source.data
    if not source.readable:
        why = source.findings[0].message if source.findings else "no JSON"
        return None, [Complaint("INVALID_JSON_DESCRIPTION", why, "/", "ERROR")]
    if not isinstance(document, dict):
        return None, [Complaint("INVALID_JSON_DESCRIPTION", "expected a JSON object", "/", "ERROR")]
    findings = check(document, express=express)
    found = [_complaint(finding, document) for finding in _joined(findings)]
    return document, sorted(found, key=lambda complaint: complaint.severity)


def _program(definition: str, document: dict[str, Any]) -> Program:
    _documents[definition] = document
    try:
        return _compiled(definition)
    finally:
        del _documents[definition]


_documents: dict[str, dict[str, Any]] = {}


@lru_cache(_KNOWN_PROGRAMS)
def _compiled(definition: str) -> Program:
    document = _documents.get(definition) or read_json(definition, "the definition").data
    return compiled(StateMachine.model_validate(document))


def _joined(findings: list[Finding]) -> list[Finding]:
    """Missing keys of one place as one finding, as AWS tells of them."""
    missing: dict[tuple[str | int, ...], list[str]] = {}
    for finding in findings:
        if key := _MISSING.fullmatch(finding.message):
            missing.setdefault(finding.where, []).append(key[1])
    joined = []
    for finding in findings:
        if not _MISSING.fullmatch(finding.message):
            joined.append(finding)
        elif keys := missing.pop(finding.where, None):
            joined.append(Finding("missing-key", finding.where, f"These fields are required: [{', '.join(keys)}]"))
    return joined


def _complaint(finding: Finding, document: Any) -> Complaint:
    place = _pointer(finding.where)
    severity = "ERROR" if finding.severity is Severity.ERROR else "WARNING"
    value = _at(document, finding.where)
    match finding.code:
        case "missing-target":
            return Complaint("MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {value} at {place}", place, severity)
        case "not-in-express":
            problem = f"Express state machine does not support {_not_for_express(str(value))} at {place}"
            return Complaint("SCHEMA_VALIDATION_FAILED", problem, place, severity)
    message = _BACKTICKS.sub(r"\1", finding.message)
    code = "SCHEMA_VALIDATION_FAILED" if severity == "ERROR" else finding.code.upper().replace("-", "_")
    return Complaint(code, f"{message} at {place}", place, severity)


def _not_for_express(resource: str) -> str:
    pattern = next((pattern for pattern in (".waitForTaskToken", ".sync") if pattern in resource), None)
    return f"'{pattern}' service integration" if pattern else "Activity ARN"


def _at(document: Any, where: tuple[str | int, ...]) -> Any:
    for key in where:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _pointer(where: tuple[str | int, ...]) -> str:
    """`/States/A/Choices[0]/Next`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f"/{key}" for key in where) or "/"
