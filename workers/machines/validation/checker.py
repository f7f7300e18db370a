"""Judges a whole definition in ASL: its structure, and at each part the rules that belong there."""

import json
from typing import Any

from workers.machines.model.base import Part
from workers.machines.model.collections import ReaderConfig
from workers.machines.model.conditions import ChoiceRule
from workers.machines.model.machine import STATE_TYPES, Branch, Map, StateMachine
from workers.machines.model.shapes import Key, Shape, any_state, owners, shape
from workers.machines.model.states import Choice, Pass, Task
from workers.machines.problems import Finding
from workers.machines.validation.conditions import check_condition
from workers.machines.validation.expressions import key_suggestion, suggestion
from workers.machines.validation.failures import check_failures
from workers.machines.validation.graph import check_graph
from workers.machines.validation.maps import check_map, check_reader
from workers.machines.validation.place import At, Report, described
from workers.machines.validation.scopes import assigned_in, inside
from workers.machines.validation.tasks import check_task
from workers.machines.validation.templates import check_static
from workers.machines.validation.values import check_value

DEFINITION_LIMIT = 1_048_576
"""Bytes of a definition (API reference, CreateStateMachine)."""
NAME_LIMIT = 80
"""Characters in the name of a state (Amazon States Language specification)."""


def check(asl: Any, *, express: bool = False) -> list[Finding]:
    """All that is wrong with the definition `asl`. Never raises, whatever it is given.

    `express`: it is for a state machine of that type, which cannot wait for activities, task tokens and jobs.
    """
    report = Report()
    at = At(report, express=express)
    if not isinstance(asl, dict):
        at.error("wrong-type", f"a definition is an object with `StartAt` and `States`, found {described(asl)}")
        return report.findings
    jsonata = asl.get("QueryLanguage") == "JSONata"
    try:
        _check_part(asl, StateMachine, at.but(jsonata=jsonata, machine_jsonata=jsonata))
        size = len(json.dumps(asl, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
    except RecursionError:
        at.error("too-deep", "it is nested too deeply")
        return report.findings
    if size > DEFINITION_LIMIT:
        at.error("too-large", f"it has {size:,} bytes of JSON: AWS allows {DEFINITION_LIMIT:,}")
    if report.activity and "TimeoutSeconds" not in asl:
        message = "has no `TimeoutSeconds`: a task that no worker polls for is ended only by the machine's own timeout"
        at.warning("no-machine-timeout", message)
    return report.findings


def _check_part(data: Any, part: type[Part], at: At) -> None:
    """Judges an object of the language that is no state."""
    if not isinstance(data, dict):
        at.error("wrong-type", f"must be an object, found {described(data)}")
        return
    if part is ChoiceRule:
        check_condition(data, at, beside=frozenset(shape(ChoiceRule)))
        data = {key: value for key, value in data.items() if key in shape(ChoiceRule)}
    if issubclass(part, Branch):
        at = at.but(assigned=assigned_in(data))
    _check_keys(data, part.__name__, shape(part), at, at)
    _check_groups(data, part, at)
    if part is ReaderConfig:
        check_reader(data, at)
    if issubclass(part, Branch) and isinstance(states := data.get("States"), dict) and states:
        check_graph(data, at)


def _check_keys(data: dict[str, Any], name: str, keys: Shape, at: At, inside: At) -> None:
    """Judges the keys of an object at `at`; those that hold states of their own stand at `inside`."""
    for given, value in data.items():
        key = keys.get(given)
        if not key:
            _unknown(given, name, keys, at)
        elif key.language and (key.language == "JSONata") != at.jsonata:
            here = "JSONata" if at.jsonata else "JSONPath"
            message = f"`{given}` exists in {key.language} only, and here the `QueryLanguage` is {here}"
            at.error("wrong-language", message, given)
        else:
            nested = key.part and issubclass(key.part, Branch)
            _check_key(key, value, (inside if nested else at).into(given))
    for key in keys.values():
        if key.required and key.asl not in data:
            at.error("missing-key", f"`{key.asl}` is missing")


def _check_key(key: Key, value: Any, at: At) -> None:
    if key.asl == "States":
        _check_states(value, at)
    elif not key.part:
        check_value(key.kind, value, at)
    elif not key.many:
        _check_part(value, key.part, at)
    elif not isinstance(value, list):
        at.error("wrong-type", f"must be a list, found {described(value)}")
    else:
        if not value and key.required:
            at.error("empty", "must have at least one entry")
        for index, one in enumerate(value):
            _check_part(one, key.part, at.into(index))


def _unknown(given: str, name: str, keys: Shape, at: At) -> None:
    types = owners(given)
    if types and name in STATE_TYPES:
        at.error("misplaced-key", f"`{given}` belongs to {_listed(types)}: a {name} has none", given)
    elif given == "QueryLanguage":
        at.error("misplaced-key", "`QueryLanguage` belongs to the machine and to single states", given)
    else:
        at.error("unknown-key", f"there is no {given!r} here{key_suggestion(given, keys)}", given)


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _check_groups(data: dict[str, Any], part: type[Part], at: At) -> None:
    """Keys of which only one may be given, or one must be."""
    keys = shape(part)
    language = "JSONata" if at.jsonata else "JSONPath"

    def possible(group: tuple[str, ...]) -> list[str]:
        return [name for name in group if keys[name].language in {None, language}]

    for group in part.alternatives:
        given = [name for name in possible(group) if name in data and data[name] is not False]
        if len(given) > 1:
            at.error("conflict", f"only one of {_listed(tuple(f'`{name}`' for name in given))} can be given", given[1])
    for group in part.wanted:
        if not any(name in data and data[name] is not False for name in group):
            at.error("missing-key", f"one of {_listed(tuple(f'`{name}`' for name in possible(group)))} is missing")


def _check_states(states: Any, at: At) -> None:
    if not isinstance(states, dict):
        at.error("wrong-type", f"must be an object of states by their names, found {described(states)}")
        return
    if not states:
        at.error("empty", "must have at least one state")
    for name, state in states.items():
        place = at.into(name)
        _check_name(name, place)
        if isinstance(state, dict):
            _check_state(state, place)
        else:
            place.error("wrong-type", f"a state is an object with a `Type`, found {described(state)}")


def _check_name(name: str, at: At) -> None:
    if not name:
        at.error("bad-name", "a state needs a name")
    elif len(name) > NAME_LIMIT:
        at.error("bad-name", f"the name has {len(name)} characters: AWS allows {NAME_LIMIT}")
    elif name in at.report.names:
        at.error("duplicate-name", f"another state is named {name!r}: names are unique in the whole machine")
    at.report.names.setdefault(name, at.where)


def _check_state(state: dict[str, Any], at: At) -> None:
    language = state.get("QueryLanguage")
    if language == "JSONPath" and at.machine_jsonata:
        at.error("wrong-language", "a state of a JSONata machine cannot go back to JSONPath", "QueryLanguage")
    at = at.but(jsonata=at.machine_jsonata if language is None else language == "JSONata")
    part = STATE_TYPES.get(str(state.get("Type")))
    rest = {key: value for key, value in state.items() if key != "Type"}
    if part is None:
        _check_type(state, at)
        _check_keys(rest, "state", any_state(), at, inside(state, at))
        return
    _check_keys(rest, part.__name__, shape(part), at, inside(state, at))
    _check_groups(rest, part, at)
    check_failures(state, at)
    _check_end(state, at)
    if part is Task:
        check_task(state, at)
    elif part is Map:
        check_map(state, at)
    elif part is Pass:
        check_static(state.get("Result"), at.into("Result"))
    elif part is Choice and "Default" not in state:
        at.warning("no-default", "has no `Default`: when no rule holds, the execution fails")


def _check_type(state: dict[str, Any], at: At) -> None:
    given = state.get("Type")
    if "Type" not in state:
        at.error("missing-key", f"`Type` is missing: one of {_listed(tuple(STATE_TYPES))}")
    else:
        hint = suggestion(given, list(STATE_TYPES)) if isinstance(given, str) else ""
        at.error(
            "unknown-type", f"must be one of {_listed(tuple(STATE_TYPES))}, found {described(given)}{hint}", "Type"
        )


def _check_end(state: dict[str, Any], at: At) -> None:
    if state.get("End") is False and "Next" in state:
        at.warning("no-effect", "`End` says something only when it is true: leave it out", "End")
