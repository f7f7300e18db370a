"""What the notation refuses to read, and where it says that it stands."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.machines.noted import HERE
from workers.machines.notation.operators import var
from workers.machines.notation.reading import read

REFUSED = [
    ({"type": "wait", "seconds": timedelta(milliseconds=1500)}, ("seconds",), "whole number of seconds"),
    ({"type": "wait", "timestamp": datetime(2020, 1, 1)}, ("timestamp",), "no time zone"),  # noqa: DTZ001
    ({"type": "pass", "result": {"a": {1, 2}}}, ("result",), "(set) is no JSON"),
    ({"type": "pass", "result": float("nan")}, ("result",), "no number in JSON"),
    ({"type": "pass", "result": {1: 2}}, ("result",), "the key 1 (int) is no text"),
    ({"type": "pass", "result": timedelta(seconds=1)}, ("result",), "is no JSON"),
    ({"type": "pass", "next": "a", "Next": "b"}, ("Next",), "given twice"),
    ({"type": "pass", "Type": "Pass"}, ("type",), "given twice"),
    ({"type": "map", "catch": [{"error_equals": Exception}]}, ("catch", 0, "error_equals"), "write 'States.ALL'"),
    ({"type": "map", "catch": [{"error_equals": [int]}]}, ("catch", 0, "error_equals"), "neither an error name"),
    ({"type": "task", "resource": "sqs:queue"}, ("resource",), "names nothing that a task can call"),
    ({"type": "task", "resource": "lambda:"}, ("resource",), "names nothing that a task can call"),
    ({"type": "task", "resource": "a b"}, ("resource",), "holds ' ', which AWS refuses"),
    ({"type": "task", "resource": 3}, ("resource",), "3 is no resource"),
    ({"type": "task", "resource": len}, ("resource",), "len is a function, and no handler: register it"),
    ({"type": "task", "resource": "a", "context": "no"}, ("context",), "true or false"),
    ({"type": "task", "resource": "lambda:f", "context": True}, ("context",), "is for activities"),
    ({"type": "task", "resource": "lambda:f", "deploy_retry": True}, ("deploy_retry",), "is for activities"),
    ({"type": "task", "resource": "glue:j", "parameters": []}, ("parameters",), "as an object"),
    ({"type": "task", "resource": "glue:j", "parameters": {"JobName": "x"}}, ("parameters",), "given twice"),
]


@pytest.mark.parametrize(("state", "where", "message"), REFUSED)
def test_what_cannot_be_read_is_found_where_it_stands(state: dict[str, Any], where: tuple[Any, ...], message: str):
    (finding,) = read({"start_at": "S", "states": {"S": state}}, place=HERE).findings
    assert finding.where == ("states", "S", *where)
    assert message in finding.message


@pytest.mark.parametrize(
    ("condition", "where", "message"),
    [
        ([], (), "a condition starts with its operator"),
        (["like", "$.a", "x"], (), "a condition starts with its operator"),
        (["==", "$.a", 1], (), "found ['==']: write ="),
        (["!=", "$.a", 1], (), 'write [not, ["=", …]]'),
        (["is_presnt", "$.a"], (), "did you mean is_present?"),
        ([["and"]], (), "a condition starts with its operator"),
        (["and"], (), "needs at least one condition"),
        (["not", "$.a", "$.b"], (), "'not' takes one condition, found 2"),
        (["=", "$.a"], (), "'=' takes a path and a value, found 1"),
        (["numeric_equals", "$.a"], (), "takes a path and a value"),
        (["=", "$.a", None], (2,), "write [is_null, $.a]"),
        (["<", "$.a", True], (2,), "only = can"),
        (["=", "$.a", [1]], (2,), "compares with text"),
        (["=", "$.a", var("$.b")], (2,), "numeric_equals_path"),
        (3, (), "3 is no condition"),
        (["or", "$.a", ["not", 5]], (2, 1), "5 is no condition"),
        ({"and": ["$.a", 5]}, ("and", 1), "5 is no condition"),
        ({"variable": "$.a", "Variable": "$.b"}, ("Variable",), "given twice"),
        ({"variable": "$.a", "numeric_equals": {1}}, ("numeric_equals",), "is no JSON"),
    ],
)
def test_conditions_that_cannot_be_read(condition: Any, where: tuple[Any, ...], message: str):
    state = {"type": "choice", "choices": [{"condition": condition, "next": "n"}]}
    finding = read({"start_at": "S", "states": {"S": state}}).findings[0]
    assert finding.where == ("states", "S", "choices", 0, "condition", *where)
    assert message in finding.message


def test_a_condition_given_twice_is_refused():
    rule = {"condition": ["=", "$.a", 1], "variable": "$.b", "next": "n"}
    (finding,) = read({"states": {"S": {"type": "choice", "choices": [rule]}}}).findings
    assert "given twice" in finding.message


@pytest.mark.parametrize(
    "nonsense", [None, 1, "x", [], [1], {}, {"states": 1}, {"states": {"a": 1}}, {"states": {"a": {"type": []}}}]
)
def test_nonsense_is_read_without_a_traceback(nonsense: Any):
    assert read(nonsense).asl is not Ellipsis


def test_the_name_of_a_state_is_text():
    (finding,) = read({"states": {1: {"type": "succeed"}}}).findings
    assert finding.where == ("states", "1")
    assert "write '1' in quotes" in finding.message
