"""From ASL to the notation, such that reading it again gives the very same ASL.

Every shortening is tried and taken only when reading it back is exact, down to the order of keys in free JSON.
"""

import json
from typing import Any

from workers.arns import Place
from workers.machines.model.base import Part
from workers.machines.model.conditions import CONDITION_KEYS, ChoiceRule
from workers.machines.model.kinds import ErrorNames
from workers.machines.model.machine import STATE_TYPES, StateMachine
from workers.machines.model.shapes import Key, Shape, any_state, shape
from workers.machines.model.states import Task
from workers.machines.notation import deploy_retry, envelope
from workers.machines.notation.callbacks import callback_call, callback_of
from workers.machines.notation.conditions import write_condition
from workers.machines.notation.reading import SOMEWHERE, read
from workers.machines.notation.resources import PLACEHOLDER, call_of, name_of
from workers.machines.notation.values import ValueRefusedError


def write(asl: dict[str, Any], *, place: Place | None = None, namespace: str | None = None) -> dict[str, Any]:
    """The definition `asl` in the notation: snake_case keys, names for ARNs in `place` and `namespace`.

    Without a place ARNs stay as they are. `read(write(asl), place=…)` gives `asl` again.
    """
    return _Writer(place, namespace).machine(asl)


class _Writer:
    def __init__(self, place: Place | None, namespace: str | None) -> None:
        self._place = place
        self._namespace = namespace
        self._language: Any = None
        self._activities: list[dict[str, Any]] = []

    def machine(self, asl: dict[str, Any]) -> dict[str, Any]:
        self._language = asl.get("QueryLanguage")
        notation: dict[str, Any] = self._part(asl, StateMachine)
        return self._hoisted("context") | self._hoisted("deploy_retry") | notation

    def _hoisted(self, option: str) -> dict[str, Any]:
        """`option: false` once at the top, where each of several tasks on activities would say it."""
        if len(self._activities) < 2 or any(task.get(option) is not False for task in self._activities):
            return {}
        for task in self._activities:
            del task[option]
        return {option: False}

    def _part(self, asl: Any, part: type[Part]) -> Any:
        if not isinstance(asl, dict):
            return asl
        return self._rule(asl) if part is ChoiceRule else self._object(asl, shape(part))

    def _object(self, asl: dict[str, Any], keys: Shape) -> dict[str, Any]:
        notation = {}
        for name, value in asl.items():
            key = keys.get(name)
            notation[key.snake if key and key.snake not in asl else name] = self._value(value, key)
        return notation

    def _value(self, value: Any, key: Key | None) -> Any:
        if key and key.part:
            many = isinstance(value, list)
            return [self._part(one, key.part) for one in value] if many else self._part(value, key.part)
        if key and key.asl == "States" and isinstance(value, dict):
            return {name: self._state(state) for name, state in value.items()}
        if key and isinstance(key.kind, ErrorNames) and isinstance(value, list) and len(value) == 1:
            return value[0]
        return value

    def _state(self, asl: Any) -> Any:
        if not isinstance(asl, dict):
            return asl
        if asl.get("Type") == "Task":
            return self._task(asl)
        state = STATE_TYPES.get(str(asl.get("Type")))
        return self._typed(asl, shape(state) if state else any_state())

    def _typed(self, asl: dict[str, Any], keys: Shape) -> dict[str, Any]:
        kind = asl.get("Type")
        if not isinstance(kind, str) or kind not in STATE_TYPES or "type" in asl:
            return self._object(asl, keys)
        notation = self._object(asl | {"Type": kind.lower()}, keys)
        return {("type" if key == "Type" else key): value for key, value in notation.items()}

    def _rule(self, asl: dict[str, Any]) -> dict[str, Any]:
        condition = {key: value for key, value in asl.items() if key in CONDITION_KEYS}
        rest = {key: value for key, value in asl.items() if key not in CONDITION_KEYS}
        written = write_condition(condition)
        start = written if isinstance(written, dict) else {"condition": written}
        notation: dict[str, Any] = start | self._object(rest, shape(ChoiceRule))
        return notation

    def _task(self, asl: dict[str, Any]) -> dict[str, Any]:
        """A task in its shortest form that reads back exactly: by name first, then by ARN, then just as it is."""
        for names in (True, False):
            if (short := self._shortened(asl, by_name=names)) and self._exact(short, asl):
                if names and ":" not in short["resource"] and "task_key" not in short:
                    self._activities.append(short)
                return short
        return self._typed(asl, shape(Task))

    def _shortened(self, asl: dict[str, Any], *, by_name: bool) -> dict[str, Any] | None:
        jsonata = (asl.get("QueryLanguage") or self._language) == "JSONata"
        arn = asl.get("Resource")
        if not isinstance(arn, str):
            return None
        if by_name and (found := self._as_callback(asl, arn, jsonata=jsonata)):
            return found
        payload = envelope.payload_key(jsonata=jsonata)
        name = self._name(arn, asl.get(payload)) if by_name else arn
        if name is None:
            return None
        try:
            call = call_of(name, self._place or SOMEWHERE, self._namespace)
        except ValueRefusedError:
            return None
        asl = _without(asl | {"Resource": name}, payload, call.parameters)
        options: dict[str, bool] = {}
        if call.activity or PLACEHOLDER.search(arn):
            asl, options = _peeled(asl, by_name=by_name, jsonata=jsonata)
        return self._typed(asl, shape(Task)) | options

    def _as_callback(self, asl: dict[str, Any], arn: str, *, jsonata: bool) -> dict[str, Any] | None:
        """A task that sends its token to the queue of callbacks."""
        payload = envelope.payload_key(jsonata=jsonata)
        if not (self._place and (found := callback_of(arn, asl.get(payload), self._place, self._namespace))):
            return None
        resource, key = found
        try:
            call = callback_call(resource, key, self._place, self._namespace, jsonata=jsonata)
        except ValueRefusedError:
            return None
        bare = _without(asl | {"Resource": resource}, payload, call.parameters)
        return self._typed(bare, shape(Task)) | {"task_key": key}

    def _name(self, arn: str, payload: Any) -> str | None:
        return name_of(arn, payload, self._place, self._namespace) if self._place else None

    def _exact(self, notation: dict[str, Any], asl: dict[str, Any]) -> bool:
        machine = {"QueryLanguage": self._language, "States": {"T": notation}}
        reading = read(machine, place=self._place or SOMEWHERE, namespace=self._namespace)
        again = reading.asl["States"]["T"]
        same = again.keys() == asl.keys() and all(json.dumps(again[key]) == json.dumps(asl[key]) for key in asl)
        return same and not reading.findings


def _without(asl: dict[str, Any], payload: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A task without the parameters that its short resource name stands for."""
    if not parameters:
        return asl
    rest = {key: value for key, value in asl[payload].items() if key not in parameters}
    return asl | {payload: rest} if rest else {key: value for key, value in asl.items() if key != payload}


def _peeled(asl: dict[str, Any], *, by_name: bool, jsonata: bool) -> tuple[dict[str, Any], dict[str, bool]]:
    """A task on an activity without its envelope and its retrier for deploys, and the options that say so."""
    options: dict[str, bool] = {}
    bare = envelope.unwrap(asl, jsonata=jsonata)
    if (bare is not None) != by_name:
        options["context"] = bare is not None
    asl = asl if bare is None else bare
    retriers = deploy_retry.without(asl.get("Retry"))
    if retriers is None:
        if by_name and not deploy_retry.has_own(asl.get("Retry")):
            options["deploy_retry"] = False
        return asl, options
    if not by_name:
        options["deploy_retry"] = True
    rest = {key: value for key, value in asl.items() if key != "Retry"}
    return (asl | {"Retry": retriers} if retriers else rest), options
