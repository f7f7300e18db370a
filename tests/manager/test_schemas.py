"""Definitions that say what the inputs of their workflows are like."""

from typing import Any

import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, PASSES, defined, ended
from workers.manager.errors import InvalidError
from workers.manager.manager import LocalManager
from workers.manager.model import Query, Status
from workers.manager.requests import NewWorkflowDefinition
from workers.manager.schemas import check_input, check_schema

ORDER = {
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"$ref": "#/$defs/number"}, "items": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
    "$defs": {"number": {"type": "integer", "minimum": 1}},
}


async def test_an_input_that_does_not_fit_starts_nothing_and_all_problems_are_told(manager: LocalManager):
    kept = await defined(manager, PASSES, input_schema=ORDER)
    assert kept.input_schema == ORDER
    with pytest.raises(InvalidError) as caught:
        await manager.start_workflow(kept.name, {"order": 0, "items": ["a", 7], "x": None})
    assert {(one["path"], one["message"]) for one in caught.value.problems} == {
        ("$.order", "0 is less than the minimum of 1"),
        ("$.items[1]", "7 is not of type 'string'"),
        ("$", "Additional properties are not allowed ('x' was unexpected)"),
    }
    assert str(caught.value).startswith("input: ")
    assert "$.order: 0 is less than the minimum of 1" in str(caught.value)
    with pytest.raises(InvalidError, match="input: 'order' is a required property"):
        await manager.start_workflow(kept.name)
    assert (await manager.workflows(Query())).items == ()
    started = await manager.start_workflow(kept.name, {"order": 12345678901234567890})
    done = await ended(manager, started)
    assert (done.status, done.workflow_definition.input_schema) == (Status.SUCCEEDED, None)
    assert (await manager.workflows(Query())).items[0].workflow_definition.input_schema is None


async def test_each_version_has_its_own(manager: LocalManager):
    first = await defined(manager, PASSES, input_schema=ORDER)
    second = await manager.update_definition(NewWorkflowDefinition(name=first.name, state_machine=PASSES))
    assert second.input_schema is None
    await manager.start_workflow(first.name, {"other": 1})
    with pytest.raises(InvalidError, match="'order' is a required property"):
        await manager.start_workflow(first.name, {}, version=0)


async def test_a_start_that_is_repeated_is_not_held_against_a_newer_schema(manager: LocalManager):
    name = (await defined(manager, PASSES)).name
    started = await manager.start_workflow(name, {"x": 1}, idempotency_key="k")
    await manager.update_definition(NewWorkflowDefinition(name=name, state_machine=PASSES, input_schema=ORDER))
    assert (await manager.start_workflow(name, {"x": 1}, idempotency_key="k")).id == started.id
    with pytest.raises(InvalidError, match="required"):
        await manager.start_workflow(name, {"x": 1}, idempotency_key="other")


async def test_what_is_resumed_goes_on_with_the_input_of_its_state(manager: LocalManager):
    kept = await defined(manager, BREAKS, input_schema={"required": ["n"]})
    failed = await ended(manager, await manager.start_workflow(kept.name, {"n": 1}))
    resumed = await manager.resume_workflow(failed.id, "break")
    assert (await ended(manager, resumed)).status is Status.FAILED


async def test_arguments_of_batch_are_a_list(manager: LocalManager):
    machine = {"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "a", "End": True}}}
    schema = {"type": "array", "minItems": 1}
    given = NewWorkflowDefinition(name=unique("wf"), manager="batch", state_machine=machine, input_schema=schema)
    kept = await manager.create_definition(given)
    with pytest.raises(InvalidError, match=r"input: \[\] should be non-empty"):
        await manager.start_workflow(kept.name, "[]")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objct", "properties": []}, r"\$\.properties: \[\] is not of type 'object'; \$\.type: 'objct' is"),
        ({"pattern": "("}, r"\$\.pattern: '\(' is not a 'regex'"),
        ({"items": {"$ref": "#/$defs/none"}}, "refers to '#/\\$defs/none', which is not in it"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "refers to 'http://127.0.0.1:1/schema', which is not in it"),
        ({"$ref": "#"}, "refers to itself without an end"),
        ({"$schema": "http://example.org/mine"}, "'http://example.org/mine' is no dialect that is known here"),
        ({"$schema": 7}, "7 is no dialect"),
    ],
)
async def test_what_is_no_schema_is_refused(manager: LocalManager, schema: dict[str, Any], message: str):
    with pytest.raises(InvalidError, match=f"inputSchema: .*{message}"):
        await manager.create_definition(
            NewWorkflowDefinition(name=unique("wf"), state_machine=PASSES, input_schema=schema)
        )


def test_what_is_only_called_a_reference_is_none():
    check_schema({"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "nowhere"}]})


def test_other_dialects_are_known():
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True}
    check_schema(schema)
    with pytest.raises(InvalidError, match="less than or equal to"):
        check_input(3, schema)


def test_a_schema_without_an_end_that_only_some_inputs_meet():
    schema = {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}
    check_schema(schema)
    with pytest.raises(InvalidError, match="refers to itself without an end"):
        check_input({"a": 1}, schema)


def test_problems_are_short_and_few():
    with pytest.raises(InvalidError) as caught:
        check_input(["x" * 100_000] * 1_000, {"items": {"type": "integer"}})
    assert len(str(caught.value)) < 2_500
    assert str(caught.value).endswith("and 45 more")
    assert len(caught.value.problems) == 50
