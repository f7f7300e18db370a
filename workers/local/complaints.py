"""What AWS says of a definition that it refuses: its codes, its words and its places for our findings.

What is told of paths, JSONata, ends and fields was measured on AWS by the authors of other engines and linters.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from workers.machines.language.jsonata import is_expression
from workers.machines.problems import Finding, Severity

_BACKTICKS = re.compile(r"`([^`]+)`")
_MISSING = re.compile(r"`(\w+)` is missing")
_NO_JSONATA = re.compile(r"it is not JSONata: (.*?) \(character \d+\), in ", re.DOTALL)
NO_JSON = "INVALID_JSON_DESCRIPTION"
_INVALID = "SCHEMA_VALIDATION_FAILED"
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


def complaints_of(findings: list[Finding], document: Any) -> list[Complaint]:
    """What AWS says of a definition in which there are `findings`: errors first."""
    found = [_complaint(finding, document) for finding in _ended(_joined(findings), document)]
    return sorted(found, key=lambda complaint: complaint.severity)


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


def _ended(findings: list[Finding], document: Any) -> list[Finding]:
    """The same, with AWS's view of ends: any terminal state will do, and without one it looks for no way to a state."""
    told, endless = [], []
    for finding in findings:
        inside = _container(finding.where)
        if finding.code not in {"no-end", "missing-target", "unreachable"} or _has_end(_at(document, inside)):
            if finding.code != "no-end":
                told.append(finding)
            continue
        if finding.code == "missing-target":
            told.append(finding)
        if inside not in endless:
            endless.append(inside)
    return told + [Finding("no-end", where, "no state ends it") for where in endless]


def _container(where: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The place of the states among which that of `where` is."""
    states = [index for index, key in enumerate(where) if key == "States"]
    return where[: states[-1]] if states else ()


def _has_end(container: Any) -> bool:
    states = container.get("States") if isinstance(container, dict) else None
    return isinstance(states, dict) and any(
        isinstance(state, dict) and (state.get("End") is True or state.get("Type") in {"Succeed", "Fail"})
        for state in states.values()
    )


def _complaint(finding: Finding, document: Any) -> Complaint:
    where, value = finding.where, _at(document, finding.where)
    key, message = str(where[-1] if where else ""), _BACKTICKS.sub(r"\1", finding.message)
    if finding.severity is not Severity.ERROR:
        return Complaint(_warning_code(finding, key, value), message, _pointer(where), "WARNING")
    if finding.code == "no-end":
        place = _pointer(where) if where else None
        return Complaint("MISSING_END_STATE", "Workflow has no terminal state", place, "ERROR")
    if of_a_name := _OF_NAMES.get((finding.code, "State" if where[-2:-1] == ("States",) else key)):
        return Complaint(of_a_name, message, _pointer(where), "ERROR")
    code, words = _WORDS.get(finding.code, (_INVALID, _as_we_say))
    if code == _NO_EXPRESSION:
        code = code if _NO_JSONATA.match(message) else _INVALID
    around = finding.code in _TOLD_OF_WHAT_IS_AROUND or (finding.code in _IN_TEMPLATES and key.endswith(".$"))
    return Complaint(code, words(key, value, message), _pointer(where[:-1] if around else where), "ERROR")


def _warning_code(finding: Finding, key: str, value: Any) -> str:
    """AWS's code where it has one (API reference, ValidateStateMachineDefinitionDiagnostic), else ours."""
    if finding.code == "static":
        return "PASS_RESULT_IS_STATIC"
    if finding.code != "no-effect" or not isinstance(value, str) or is_expression(value) or key.endswith(".$"):
        return finding.code.upper().replace("-", "_")
    within = finding.where[len(_container(finding.where)) + 2 :]  # the state
    compared = within[:1] == ("Choices",) and within[2:3] != ("Assign",)
    return "NO_PATH" if compared else "NO_DOLLAR"


def _as_we_say(_: str, __: Any, message: str) -> str:
    return message


def _no_path(key: str, _: Any, message: str) -> str:
    """What is said of a path, or of a call in its place, that cannot be read."""
    if key.endswith(".$"):
        return f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
    return message if "intrinsic function" in message else "Value must be a valid JSONPath."


def _no_context(_: str, __: Any, message: str) -> str:
    name = message.partition("'")[2].partition("'")[0]
    return f"Reference to '{name}' at the top level is not supported."


def _no_expression(_: str, __: Any, message: str) -> str:
    found = _NO_JSONATA.match(message)
    return found[1] if found else message


def _not_for_express(resource: str) -> str:
    pattern = next((pattern for pattern in (".waitForTaskToken", ".sync") if pattern in resource), None)
    what = f"'{pattern}' service integration" if pattern else "Activity ARN"
    return f"Express state machine does not support {what}"


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


Words = Callable[[str, Any, str], str]
"""Of the last key of the place, of the value there, and of our own message."""

_NO_EXPRESSION = "INVALID_JSONATA_EXPRESSION"
_WORDS: Mapping[str, tuple[str, Words]] = {
    "bad-expression": (_NO_EXPRESSION, _no_expression),
    "bad-intrinsic": (_INVALID, _no_path),
    "bad-path": (_INVALID, _no_path),
    "bad-resource": (_INVALID, lambda _, __, ___: "Value is not a valid resource ARN"),
    "duplicate-name": ("DUPLICATE_STATE_NAME", lambda key, _, __: f"Duplicate State name: {key}"),
    "misplaced-key": (_INVALID, lambda key, _, __: f"Field '{key}' is not supported"),
    "missing-target": ("MISSING_TRANSITION_TARGET", lambda _, value, __: f"Missing 'Next' target: {value}"),
    "no-context": ("UNSUPPORTED_JSONATA_EXPRESSION", _no_context),
    "not-a-reference-path": (_INVALID, lambda _, __, message: f"Value is not a Reference Path: {message}"),
    "not-in-express": (_INVALID, lambda _, value, __: _not_for_express(str(value))),
    "unknown-key": (_INVALID, lambda key, _, __: f"Field '{key}' is not supported"),
    "unreachable": ("MISSING_TRANSITION_TARGET", lambda key, _, __: f'State "{key}" is not reachable.'),
    "wrong-language": (_INVALID, lambda key, value, _: _other_language(key, value)),
}
_OF_NAMES = {
    ("bad-name", "Label"): "INVALID_LABEL_NAME",
    ("bad-name", "State"): "INVALID_STATE_NAME",
    ("duplicate-name", "Label"): "DUPLICATE_LABEL_NAME",
}
"""The codes for names of states and of Maps; AWS's words are not known (API reference)."""
_TOLD_OF_WHAT_IS_AROUND = frozenset({"misplaced-key", "unknown-key", "wrong-language"})
_IN_TEMPLATES = frozenset({"bad-path", "bad-intrinsic"})
