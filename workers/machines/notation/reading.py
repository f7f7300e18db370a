"""From the notation to ASL, with the place that every key comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from workers.arns import Place
from workers.envelope import INPUT_KEY
from workers.machines.model.base import Part
from workers.machines.model.conditions import ChoiceRule
from workers.machines.model.kinds import ErrorNames, Timestamp, Whole
from workers.machines.model.machine import STATE_TYPES, StateMachine
from workers.machines.model.shapes import Key, Shape, any_state, asl_name, shape
from workers.machines.model.states import Task
from workers.machines.notation import deploy_retry, envelope
from workers.machines.notation.callbacks import TASK_KEY, callback_call, is_callback
from workers.machines.notation.conditions import CONDITION_WORDS, ConditionReader
from workers.machines.notation.resources import PLACEHOLDER, Call, call_of
from workers.machines.notation.values import ValueRefusedError, error_names, plain_json, seconds, timestamp
from workers.machines.problems import Finding, Where

SOMEWHERE = Place("aws", "us-east-1", "000000000000")
"""Where names stand for ARNs as long as nobody has said where: enough to judge a definition, not to register it."""

OPTIONS = {"context": "context", "Context": "context", "deploy_retry": "deploy_retry", "DeployRetry": "deploy_retry"}
"""Keys of the machine and of tasks that ASL does not have, in both spellings."""

_TYPES = {name: name for name in STATE_TYPES} | {name.lower(): name for name in STATE_TYPES}


@dataclass(slots=True)
class Reading:
    """A definition in ASL, and what reading it has shown."""

    asl: Any = None
    origins: dict[Where, Where] = field(default_factory=dict)
    """Places in ASL, and the places in the source they come from, where the keys on the way differ."""
    findings: list[Finding] = field(default_factory=list)
    """What could not be read. Their places are in the source."""
    activities: dict[str, None] = field(default_factory=dict)
    """ARNs of the activities used, in the order of the definition."""
    named: bool = False
    """Whether names stand in it that became ARNs."""

    def source_of(self, where: Where) -> Where:
        """The place in the source of a place in ASL; what was made from nothing belongs to what holds it."""
        for length in range(len(where), 0, -1):
            if origin := self.origins.get(where[:length]):
                return (*origin, *where[length:])
        return where


def read(definition: Any, *, place: Place = SOMEWHERE, namespace: str | None = None) -> Reading:
    """Reads a definition in the notation, of which ASL is a part. Never raises: what it cannot read are findings."""
    try:
        return _Reader(place, namespace).machine(definition)
    except RecursionError:
        return Reading(findings=[Finding("too-deep", (), "it is nested too deeply")])


@dataclass(frozen=True, slots=True)
class _Options:
    context: bool | None = None
    deploy_retry: bool | None = None


class _Reader:
    def __init__(self, place: Place, namespace: str | None) -> None:
        self._place = place
        self._namespace = namespace
        self._reading = Reading()
        self._conditions = ConditionReader(self._refuse, self._record)
        self._options = _Options()
        self._language: Any = None

    def machine(self, data: Any) -> Reading:
        if isinstance(data, Mapping):
            data, self._options = self._split(data, ())
            self._language = _given(data, "query_language", "QueryLanguage")
        self._reading.asl = self._part(data, StateMachine, (), ())
        return self._reading

    def _refuse(self, source: Where, message: str) -> None:
        self._reading.findings.append(Finding("bad-notation", source, message))

    def _record(self, to: Where, source: Where) -> None:
        if to != source or to in self._reading.origins:
            self._reading.origins[to] = source

    def _plain(self, value: Any, source: Where) -> Any:
        try:
            return plain_json(value)
        except ValueRefusedError as refused:
            self._refuse(source, str(refused))
            return None

    def _split(self, data: Mapping[Any, Any], source: Where) -> tuple[dict[Any, Any], _Options]:
        """The keys that ASL has, and the options."""
        given: dict[str, bool] = {}
        for key in OPTIONS.keys() & data.keys():
            if isinstance(data[key], bool):
                given[OPTIONS[key]] = data[key]
            else:
                self._refuse((*source, key), f"{key} is true or false, found {data[key]!r}")
        return {key: value for key, value in data.items() if key not in OPTIONS}, _Options(**given)

    def _part(self, data: Any, part: type[Part], to: Where, source: Where) -> Any:
        """An object of the language."""
        if not isinstance(data, Mapping):
            return self._plain(data, source)
        return self._rule(data, to, source) if part is ChoiceRule else self._object(data, shape(part), to, source)

    def _object(
        self, data: Mapping[Any, Any], keys: Shape, to: Where, source: Where, *, first_retrier: int = 0
    ) -> dict[str, Any]:
        asl: dict[str, Any] = {}
        for given, value in data.items():
            name, place = asl_name(given), (*source, str(given))
            key = keys.get(name)
            if name in asl:
                self._refuse(place, f"{name} is given twice: in snake_case and in CamelCase")
            self._record((*to, name), place)
            first = first_retrier if name == "Retry" else 0
            asl[name] = self._value(value, key, (*to, name), place, first)
        return asl

    def _value(self, value: Any, key: Key | None, to: Where, source: Where, first: int) -> Any:
        if key and key.part:
            if not isinstance(value, list | tuple):
                return self._part(value, key.part, to, source)
            places = [((*to, first + i), (*source, i)) for i in range(len(value))]
            for inner, place in places:
                self._record(inner, place)
            return [self._part(one, key.part, *pair) for one, pair in zip(value, places, strict=True)]
        if key and key.asl == "States" and isinstance(value, Mapping):
            return {str(name): self._state(name, state, to, source) for name, state in value.items()}
        try:
            return _scalar(value, key)
        except ValueRefusedError as refused:
            self._refuse(source, str(refused))
            return None

    def _state(self, name: Any, data: Any, to: Where, source: Where) -> Any:
        to, source = (*to, str(name)), (*source, str(name))
        if not isinstance(name, str):
            self._refuse(source, f"the name of a state is text: write {str(name)!r} in quotes")
        if not isinstance(data, Mapping):
            return self._plain(data, source)
        kind = _TYPES.get(given) if isinstance(given := _given(data, "type", "Type"), str) else None
        if kind == "Task":
            return self._task(data, to, source)
        return self._typed(data, shape(STATE_TYPES[kind]) if kind else any_state(), to, source)

    def _typed(
        self, data: Mapping[Any, Any], keys: Shape, to: Where, source: Where, *, first_retrier: int = 0
    ) -> dict[str, Any]:
        """A state; its type may be written in small letters."""
        asl = self._object(data, keys, to, source, first_retrier=first_retrier)
        named = {"Type" if key in {"type", "Type"} else key: value for key, value in asl.items()}
        if "type" in data:
            self._record((*to, "Type"), (*source, "type"))
            if "Type" in data:
                self._refuse((*source, "type"), "Type is given twice: in snake_case and in CamelCase")
        if isinstance(kind := named.get("Type"), str):
            named["Type"] = _TYPES.get(kind, kind)
        return named

    def _rule(self, data: Mapping[Any, Any], to: Where, source: Where) -> dict[str, Any]:
        """A rule of a Choice: its condition's keys stand among its own."""
        condition = {key: value for key, value in data.items() if key in CONDITION_WORDS}
        rest = {key: value for key, value in data.items() if key not in CONDITION_WORDS}
        asl = self._conditions.read(condition, to, source) | self._object(rest, shape(ChoiceRule), to, source)
        self._record(to, source)  # the condition may stand deeper, but the rule stands here
        return asl

    def _task(self, data: Mapping[Any, Any], to: Where, source: Where) -> dict[str, Any]:
        """A task: what it calls by name is looked up, and tasks on our activities get what they need."""
        data, options = self._split(data, source)
        call = self._call(data, source)
        retriers = _given(data, "retry", "Retry")
        replaceable = self._wants("deploy_retry", options.deploy_retry, self._options.deploy_retry, call, source)
        replaceable = replaceable and not deploy_retry.has_own(retriers)
        data |= {key: call and call.arn for key in ("resource", "Resource") if key in data}
        data = {key: value for key, value in data.items() if key not in TASK_KEY}
        asl = self._typed(data, shape(Task), to, source, first_retrier=int(replaceable))
        if replaceable and isinstance(asl.setdefault("Retry", []), list):
            asl["Retry"] = [deploy_retry.deploy_retrier(), *asl["Retry"]]
        jsonata = (asl.get("QueryLanguage") or self._language) == "JSONata"
        payload = envelope.payload_key(jsonata=jsonata)
        given = self._reading.source_of((*to, payload))
        if call and call.parameters:
            asl[payload] = self._with_name(call, asl.get(payload, {}), given)
        if self._wants("context", options.context, self._options.context, call, source):
            self._record((*to, payload, INPUT_KEY), given)
            asl = envelope.wrap(asl, jsonata=jsonata)
        return asl

    def _call(self, data: Mapping[Any, Any], source: Where) -> Call | None:
        """What a task calls; None where it does not say, or nothing that can be called."""
        key = "resource" if "resource" in data else "Resource"
        if key not in data:
            return None
        try:
            call = self._callback(data) or call_of(data[key], self._place, self._namespace)
        except ValueRefusedError as refused:
            self._refuse((*source, key), str(refused))
            return None
        self._reading.named |= call.named
        if call.activity:
            self._reading.activities[call.arn] = None
        return call

    def _callback(self, data: Mapping[Any, Any]) -> Call | None:
        """What a task calls that is written as a callback; None for another."""
        resource, key = _given(data, "resource", "Resource"), _given(data, *TASK_KEY)
        if key is None and not is_callback(resource):
            return None
        jsonata = (_given(data, "query_language", "QueryLanguage") or self._language) == "JSONata"
        return callback_call(str(resource), key, self._place, self._namespace, jsonata=jsonata)

    def _wants(self, option: str, own: bool | None, machines: bool | None, call: Call | None, source: Where) -> bool:
        """Whether a task gets what `option` stands for: given by name, or told so."""
        if call is None:
            return False
        if own and not (call.activity or PLACEHOLDER.search(call.arn)):
            self._refuse((*source, option), f"{option} is for activities: {call.arn} is none")
            return False
        return own if own is not None else call.activity and call.named and machines is not False

    def _with_name(self, call: Call, payload: Any, source: Where) -> Any:
        """The parameters of a task with those that its short resource name stands for."""
        if not isinstance(payload, dict):
            self._refuse(source, f"{call.arn} needs its parameters as an object, for its name is put among them")
            return payload
        for name in call.parameters:
            if name in payload or f"{name}.$" in payload:
                self._refuse(source, f"{name} is given twice: in the resource, and among the parameters")
        return call.parameters | payload


def _given(data: Mapping[Any, Any], snake: str, camel: str) -> Any:
    return data.get(snake, data.get(camel))


def _scalar(value: Any, key: Key | None) -> Any:
    """A value that holds no other part of the language."""
    kind = key.kind if key else None
    if isinstance(kind, ErrorNames):
        return error_names(value)
    if isinstance(kind, Whole) and kind.seconds and isinstance(value, timedelta):
        return seconds(value)
    if isinstance(kind, Timestamp) and isinstance(value, datetime):
        return timestamp(value)
    return plain_json(value)
