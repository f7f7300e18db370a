"""Mocked results, held against the model of the action that they stand for (API reference, MockInput)."""

from collections.abc import Iterator
from typing import Any

from workers.local.errors import validation
from workers.local.integrations.names import operation_model, service_model
from workers.local.integrations.optimized import NAMES, botocore_service
from workers.local.integrations.resources import parse_resource
from workers.local.values.errors import StateError

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "structure": ((dict,), "an object"),
    "map": ((dict,), "an object"),
    "list": ((list,), "an array"),
    "string": ((str,), "a string"),
    "timestamp": ((str, int, float), "a timestamp"),
    "integer": ((int,), "a number"),
    "long": ((int,), "a number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "boolean": ((bool,), "a boolean"),
}
_OPTIMIZED_EXTRAS = {"SdkHttpMetadata", "SdkResponseMetadata"}
_PARSED_BY = {"lambda": {"Payload"}, "states": {"Input", "Output"}}
"""Members that an optimized integration reads from the text that the service gives."""


def check_result(resource: str, result: Any, *, strict: bool) -> None:
    """Raises `ApiError` ValidationException for a result that the action of `resource` cannot give.

    `strict`: members that are required must be there. What is no action of a service can give anything.
    """
    try:
        parsed = parse_resource(resource)
    except StateError:
        return
    if parsed.pattern in {".sync", ".sync:2", ".waitForTaskToken"}:
        return  # what such a task gives is what its job, or whoever has its token, says
    name = parsed.service if parsed.sdk or parsed.service not in NAMES else botocore_service(parsed.service)
    model = service_model("sfn" if parsed.service == "states" else name)
    operation = operation_model(model, parsed.action) if model else None
    if operation is None or operation.output_shape is None:
        return
    free = set() if parsed.sdk else _OPTIMIZED_EXTRAS | _PARSED_BY.get(parsed.service, set())
    problems = list(_problems(result, operation.output_shape, "", free, strict=strict))
    if problems:
        raise validation(f"Mock result schema validation error: {problems[0]}")


def _problems(value: Any, shape: Any, where: str, free: set[str], *, strict: bool) -> Iterator[str]:
    kinds, called = _KINDS.get(shape.type_name, ((object,), "anything"))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
        yield f"Field '{where or 'result'}' must be {called}"
    elif shape.type_name == "structure":
        yield from _members(value, shape, where, free, strict=strict)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, shape.member, f"{where}[{index}]", set(), strict=strict)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _problems(member, shape.value, f"{where}.{key}".lstrip("."), set(), strict=strict)


def _members(value: Any, shape: Any, where: str, free: set[str], *, strict: bool) -> Iterator[str]:
    members = {name[:1].upper() + name[1:]: member for name, member in shape.members.items()}
    for key, member in value.items():
        if key in free:
            continue
        if key not in members:
            yield f"Field '{f'{where}.{key}'.lstrip('.')}' is not known"
        else:
            yield from _problems(member, members[key], f"{where}.{key}".lstrip("."), set(), strict=strict)
    for name in shape.required_members if strict else ():
        if (key := name[:1].upper() + name[1:]) not in value and key not in free:
            yield f"Required field '{f'{where}.{key}'.lstrip('.')}' is missing"
