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
_NO_JSONATA = re.compile(r"it is not JSONata: (.*?) \(character \d+\), in ", re.DOTALL)
_KNOWN_PROGRAMS = 256
NO_JSON = "INVALID_JSON_DESCRIPTION"
_OF_JSONATA = frozenset({"Arguments", "Condition", "Items", "Output"})


class Complaint(NamedTuple):
    """Something wrong with a definition, as ValidateStateMachineDefinition tells it."""

    code: str
    message: str
    location: str | None
    severity: str

    def __str__(self) -> str:
        """As CreateStateMachine tells it."""
        told = f"{self.code}: {self.message}"
        return told if self.code == NO_JSON else f"{told} at {'null' if self.location is None else self.location}"


def parse(definition: str, *, express: bool = False) -> Program:
    """Returns the program that the JSON text `definition` describes; `express`: for an Express state machine.

    Raises `ApiError` InvalidDefinition.
    """
    document, complaints = _judged(definition, express=express)
    if errors := [str(complaint) for complaint in complaints if complaint.severity == "ERROR"]:
        raise invalid_definition(", ".join(errors))
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
        return None, [Complaint(NO_JSON, "nested too deeply", "/", "ERROR")]
    document = source.data
    if not source.readable:
        why = source.findings[0].message if source.findings else "no JSON"
        return None, [Complaint(NO_JSON, why, "/", "ERROR")]
    if not isinstance(document, dict):
        return None, [Complaint(NO_JSON, "expected a JSON object", "/", "ERROR")]
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
    where, value = finding.where, _at(document, finding.where)
    severity = "ERROR" if finding.severity is Severity.ERROR else "WARNING"
    key, last = str(where[-1] if where else ""), where
    code = "SCHEMA_VALIDATION_FAILED" if severity == "ERROR" else finding.code.upper().replace("-", "_")
    message = _BACKTICKS.sub(r"\1", finding.message)
    match finding.code:
        case "missing-target":
            code, message = "MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {value}"
        case "unreachable":
            code, message = "MISSING_TRANSITION_TARGET", f'State "{key}" is not reachable.'
        case "no-end":
            code, message = "MISSING_END_STATE", "Workflow has no terminal state"
        case "not-in-express":
            message = f"Express state machine does not support {_not_for_express(str(value))}"
        case "no-context":
            name = finding.message.partition("'")[2].partition("'")[0]
            code, message = (
                "UNSUPPORTED_JSONATA_EXPRESSION",
                f"Reference to '{name}' at the top level is not supported.",
            )
        case "bad-expression" if found := _NO_JSONATA.match(message):
            code, message = "INVALID_JSONATA_EXPRESSION", found[1]
        case "misplaced-key" | "unknown-key":
            message, last = f"Field '{key}' is not supported", where[:-1]
        case "wrong-language":
            message, last = _other_language(key, value), where[:-1]
    return Complaint(code, message, _pointer(last) if where or finding.code != "no-end" else None, severity)


def _not_for_express(resource: str) -> str:
    pattern = next((pattern for pattern in (".waitForTaskToken", ".sync") if pattern in resource), None)
    return f"'{pattern}' service integration" if pattern else "Activity ARN"


def _other_language(key: str, value: Any) -> str:
    """What AWS says of a field of the other query language, and of a state that goes back to JSONPath."""
    if key == "QueryLanguage":
        return f"'QueryLanguage' can not be '{value}' if set to 'JSONata' for whole state machine"
    other = "JSONata" if key in _OF_JSONATA else "JSONPath"
    mine = "JSONPath" if other == "JSONata" else "JSONata"
    return f"The QueryLanguage is set to '{mine}', but field '{key}' is only supported for the '{other}' QueryLanguage"


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
