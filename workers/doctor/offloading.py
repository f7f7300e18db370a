"""What activities offload: how large their results can be, and which parts of them may become claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interceptors.payload import Payload
from workers.doctor.flow import Piece
from workers.doctor.paths import ANY, Steps, same
from workers.machines.model.states import Task
from workers.payloads.choose import Choice
from workers.supervisor.activity import Activity

_SMALL = frozenset({"integer", "number", "boolean", "null"})


@dataclass(frozen=True, slots=True)
class Offloading:
    """The activities whose results are offloaded when they are large, by ARN."""

    choices: Mapping[str, Choice]
    schemas: Mapping[str, Any]
    """The JSON schemas of their results; empty where they have no annotation."""

    def result(self, task: Task) -> Piece | None:
        """What flows out of a task."""
        choice = self.choices.get(task.resource)
        if choice is None or _is_small(self.schemas[task.resource]):
            return None
        return Piece(task.resource, choice.budget)

    def may_be_claim(self, activity: str, steps: Steps) -> bool:
        """Whether the part of the result that `steps` lead to may stand in a claim, be it with all around it."""
        choice = self.choices[activity]
        if any(len(kept) <= len(steps) and _fits(kept, steps) for kept in choice.keep):
            return False
        if choice.keys == "auto":
            return True
        if choice.keys == "all":
            return bool(steps)
        return any(len(key) <= len(steps) and _fits(key, steps) for key in choice.keys)


def offloading(handled: Mapping[str, Activity]) -> Offloading:
    """What the worker's activities offload."""
    choices = {
        arn: one.choice
        for arn, activity in handled.items()
        for one in activity.interceptors
        if isinstance(one, Payload)
    }
    return Offloading(choices, {arn: _schema(handled[arn]) for arn in choices})


def _fits(path: Any, steps: Steps) -> bool:
    return same(tuple(ANY if step is None else str(step) for step in path), steps)


def _schema(activity: Activity) -> Any:
    result = activity.handler.result
    if not result.checked:
        return {}
    try:
        return result.adapter.json_schema(mode="serialization")
    except Exception:  # noqa: BLE001 - types may make schemas of their own, and raise anything
        return {}


def _is_small(schema: Any, definitions: Any = None) -> bool:
    """Whether no value of the schema is ever large: numbers and the like, and objects of them."""
    definitions = definitions or schema.get("$defs", {})
    if "$ref" in schema:
        return _is_small(definitions.pop(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "enum" in schema or "const" in schema or schema.get("type") in _SMALL:
        return True
    if "anyOf" in schema:
        return all(_is_small(one, definitions) for one in schema["anyOf"])
    if schema.get("type") == "object" and "properties" in schema and not schema.get("additionalProperties"):
        return all(_is_small(one, definitions) for one in schema["properties"].values())
    return False
