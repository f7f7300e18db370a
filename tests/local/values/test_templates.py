"""Payload templates of JSONPath."""

from tests.local.values.scopes import failure, scope
from workers.local.values.templates import compile_reference, compile_template


def test_paths_and_functions_are_computed_and_all_else_is_kept():
    template = {
        "literal": "$.a",
        "a.$": "$.a",
        "deep": [{"id.$": "$$.Execution.Id"}, [{"v.$": "$v.w"}], 1],
        "call.$": "States.Format('{}', $.a)",
        "none": None,
    }
    assert compile_template(template)(scope({"a": [1]}, v={"w": 2})) == {
        "literal": "$.a",
        "a": [1],
        "deep": [{"id": "arn:execution"}, [{"v": 2}], 1],
        "call": "[1]",
        "none": None,
    }


def test_a_template_without_paths_is_given_as_it_is():
    template = {"a": [1, {"b": None}]}
    assert compile_template(template)(scope()) is template


def test_the_field_is_named_as_it_is_written():
    cause = failure(compile_template({"outer": {"inner.$": "$.x"}}), scope({}))[1]
    assert cause == "The JSONPath '$.x' specified for the field 'inner.$' could not be found in the input '{}'"
    cause = failure(compile_reference("$.x", "ErrorPath"), scope({}))[1]
    assert cause == "The JSONPath '$.x' specified for the field 'ErrorPath' could not be found in the input '{}'"
