"""Payload templates of JSONPath: keys that end in `.$` hold a path or an intrinsic function, all else is as it is."""

from typing import Any

from workers.local.values.calls import compile_call
from workers.local.values.paths import compile_path
from workers.local.values.scope import Evaluate
from workers.machines.language.intrinsics import is_call


def compile_template(template: Any) -> Evaluate:
    """The payload template, as Parameters, ResultSelector, ItemSelector, Assign and BatchInput hold it."""
    if not _computes(template):
        return lambda _: template
    if isinstance(template, list):
        items = tuple(map(compile_template, template))
        return lambda scope: [item(scope) for item in items]
    members = tuple(_member(key, value) for key, value in template.items())
    return lambda scope: {key: value(scope) for key, value in members}


def compile_reference(text: str, field: str) -> Evaluate:
    """A path or an intrinsic function, as fields with Path in their names hold it."""
    return compile_call(text) if is_call(text) else compile_path(text, field)


def _member(key: str, value: Any) -> tuple[str, Evaluate]:
    if key.endswith(".$"):  # past the end of an array is null here, as on AWS
        return key.removesuffix(".$"), compile_call(value) if is_call(value) else compile_path(
            value, key, past_end=True
        )
    return key, compile_template(value)


def _computes(value: Any) -> bool:
    """Whether anything in `value` has to be computed."""
    if isinstance(value, list):
        return any(map(_computes, value))
    return isinstance(value, dict) and any(key.endswith(".$") or _computes(value[key]) for key in value)
