"""Definitions that say what the inputs of their workflows are like."""

import re
from typing import Any

import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, PASSES, defined, ended
from workers.manager import dialects
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
DRAFT_3, DRAFT_4 = ("http://json-schema.org/draft-03/schema#", "http://json-schema.org/draft-04/schema#")
DOUBLING = {
    "$ref": "#/$defs/0",
    "$defs": {**{str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)}, "40": {}},
}
DEPENDING = {
    "unevaluatedProperties": False,
    "dependentSchemas": {"a": {"$ref": "#/$defs/0"}, "b": {"$ref": "#/$defs/0"}},
    "$defs": {
        **{
            str(n): {"dependentSchemas": {name: {"$ref": f"#/$defs/{n + 1}"} for name in "ab"}, "type": "object"}
            for n in range(40)
        },
        "40": {},
    },
}
SLOW = "a" * 40 + "!"
"""What `^(a+)+$` needs for ever for, where it is tried one way after the other."""


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
    batch = NewWorkflowDefinition(name=unique("wf"), manager="batch", state_machine=machine, input_schema=schema)
    kept = await manager.create_definition(batch)
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


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/x", "x": {"$ref": "nowhere"}}, "it refers to 'nowhere', which is not in it"),
        ({"$ref": "#/x", "x": {"type": "objct"}}, "what '#/x' refers to: $.type: 'objct' is not valid"),
        ({"$ref": "#/x", "x": 7}, "what '#/x' refers to: 7 is not of type 'object', 'boolean'"),
        ({"$ref": "#/allOf/x", "allOf": [{}]}, "it refers to '#/allOf/x', which is not in it"),
        ({"$ref": "#/title/0", "title": "t"}, "what '#/title/0' refers to: 't' is not of type 'object', 'boolean'"),
        ({"$ref": "#/minimum/0", "minimum": 1}, "it refers to '#/minimum/0', which is not in it"),
        ({"$schema": DRAFT_4, "$ref": 7}, "it refers to 7, which is not in it"),
        ({"properties": {"a": {"$ref": "#/x"}}, "x": 7}, "what '#/x' refers to: 7 is not"),
        ({"properties": {"a": {"$ref": "#/x"}}, "x": {"$ref": "#/y"}}, "it refers to '#/y', which is not in it"),
        ({"properties": {"a": {"$ref": "#/x"}}, "x": {"pattern": "("}}, "what '#/x' refers to: $.pattern: '(' is not"),
        ({"$schema": DRAFT_3, "patternProperties": {"(": {}}}, "the pattern '(' cannot be used: unclosed group"),
        ({"$schema": DRAFT_4, "patternProperties": {"(": {}}}, "the pattern '(' cannot be used: unclosed group"),
        ({"pattern": "a(?=b)"}, "'a(?=b)' cannot be used: look-around"),
        ({"propertyNames": {"pattern": r"(a)\1"}}, "cannot be used: backreferences are not supported. Patterns are"),
        (
            {"items": {"$ref": "#/x"}, "x": {"pattern": r"\w{50}x\w{300}"}},
            "cannot be used: Compiled regex exceeds",
        ),
        ({"items": {"$schema": DRAFT_4}}, "in a part: the whole has one dialect"),
        ({"patternProperties": {"a": {}}, "not": {"unevaluatedProperties": False}}, "cannot be used together here"),
        ({"$defs": {"a": {"$id": "http://["}}, "items": {"$ref": "http://[/"}}, ""),
    ],
)
def test_a_schema_that_could_not_be_applied_is_refused(schema: dict[str, Any], message: str):
    with pytest.raises(InvalidError, match=f"^inputSchema: .*{re.escape(message)}"):
        check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"$schema": {"type": "string"}}},
        {"$schema": DRAFT_4, "items": {"$schema": DRAFT_4.rstrip("#")}},
        {"$schema": DRAFT_4, "enum": [{"a": n} for n in range(4_000)]},
        {"$id": "http://a/b", "$defs": {"c": {"$id": "d", "$ref": "#/$defs/e", "$defs": {"e": {}}}}, "$ref": "d"},
        {"properties": {"a": {"$ref": "#"}}},
    ],
)
def test_a_schema_that_can_be_applied_is_taken(schema: dict[str, Any]):
    check_schema(schema)


@pytest.mark.parametrize(
    ("document", "schema"),
    [
        ({}, DOUBLING),
        ({"a": 1, "b": 1}, DEPENDING),
        ("x" * 100_000, {"anyOf": [{"type": "integer"}] * 50_000}),
    ],
)
def test_what_takes_too_long_is_refused(document: Any, schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dialects, "SECONDS", 0.2)
    with pytest.raises(InvalidError, match=r"inputSchema: it takes more than 0\.2 seconds of processor time"):
        check_input(document, schema)


async def test_neither_is_a_schema_kept_that_takes_too_long(manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dialects, "SECONDS", 0.2)
    with pytest.raises(InvalidError, match="it takes more than"):
        await defined(manager, PASSES, input_schema=DOUBLING)


@pytest.mark.parametrize(
    ("document", "schema", "message"),
    [
        (SLOW, {"pattern": "^(a+)+$"}, "does not match"),
        ([SLOW], {"items": {"$schema": DRAFT_4, "pattern": "^(a+)+$"}}, "does not match"),
        ({SLOW: 1}, {"propertyNames": {"pattern": "^(a+)+$"}}, "does not match"),
        ({SLOW: 1}, {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}, "was unexpected"),
        ([{"a": n} for n in range(20_000)] * 2, {"uniqueItems": True}, "has non-unique elements"),
        ([0] * 100_000, {"unevaluatedItems": False}, "there are 100,000 items, and unevaluatedItems"),
    ],
)
def test_what_could_take_for_ever_takes_no_time(document: Any, schema: dict[str, Any], message: str):
    with pytest.raises(InvalidError, match=message):
        check_input(document, schema)


@pytest.mark.parametrize(
    ("fits", "fits_not", "schema"),
    [
        (["b", "b1", "\u00e9"], ["a", "1b"], {"pattern": r"^[^a\d]"}),
        (
            [[1, True, "1", [1], {"a": 1}, {"b": 1}, None], [0, False]],
            [[1, 1.0], [{"a": [1.0], "b": 0}, {"b": 0, "a": [1]}]],
            {"uniqueItems": True},
        ),
        (
            [{"x": 1, "y1": 1}, {}],
            [{"z": 1}, {"y": 1}, {"x": 1, "ay1": 1}],
            {"properties": {"x": {}}, "patternProperties": {r"^y\d": {}}, "additionalProperties": False},
        ),
        (
            [{"x": "s", "z": 1}],
            [{"x": "s", "z": "s"}],
            {"properties": {"x": {}}, "additionalProperties": {"type": "integer"}},
        ),
        ([{"y1": 1}, {"z": ""}], [{"y1": ""}], {"patternProperties": {r"^y\d": {"type": "integer"}}}),
        ([1, "a"], [None, []], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ([1, "a"], [5, None], {"oneOf": [{"type": "number"}, {"minimum": 3, "type": ["integer", "string"]}]}),
        (
            [{"a": 1, "b": 1}],
            [{"a": 1, "c": 1}],
            {"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}, "unevaluatedProperties": False},
        ),
        ([[1]], [[1, 2]], {"prefixItems": [{}], "unevaluatedItems": False}),
    ],
)
def test_keywords_that_are_our_own(fits: list[Any], fits_not: list[Any], schema: dict[str, Any]):
    check_schema(schema)
    for document in fits:
        check_input(document, schema)
    for document in fits_not:
        with pytest.raises(InvalidError, match="input: "):
            check_input(document, schema)


def test_an_input_may_be_nested_too_deeply():
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    with pytest.raises(InvalidError, match="input: it is nested too deeply, or the inputSchema refers to itself"):
        check_input(deep, {"properties": {"a": {"$ref": "#"}}})


def test_what_jsonschema_cannot_do_is_said():
    with pytest.raises(InvalidError, match="inputSchema: it cannot be applied: OverflowError"):
        check_input(10**400, {"multipleOf": 0.5})
