"""Definitions: what CreateStateMachine accepts, turned into programs."""

from functools import lru_cache
from typing import Any

from workers.local.complaints import NO_JSON, Complaint, complaints_of
from workers.local.errors import invalid_definition
from workers.local.program import Program, compiled
from workers.machines.loading.json_text import read_json
from workers.machines.model.machine import StateMachine
from workers.machines.validation.checker import check

_KNOWN_PROGRAMS = 256


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
    return document, complaints_of(check(document, express=express), document)


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
