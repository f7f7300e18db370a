"""Where ResultPath puts a result."""

import copy
from typing import Any

import pytest
from hypothesis import given

from tests.local.values.test_paths import NAMES, VALUES
from workers.local.values.errors import EvaluationError
from workers.local.values.result_paths import compile_result_path


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (None, {"a": 1}, {"a": 1}),
        ("$", {"a": 1}, "result"),
        ("$.a", {"a": 1, "b": 2}, {"a": "result", "b": 2}),
        ("$.c", {"a": 1}, {"a": 1, "c": "result"}),
        ("$.c.d['e f']", {"a": 1}, {"a": 1, "c": {"d": {"e f": "result"}}}),
        ("$.a[1]", {"a": [1, 2]}, {"a": [1, "result"]}),
        ("$.a[0].b", {"a": [{}]}, {"a": [{"b": "result"}]}),
    ],
)
def test_the_result_is_put(path: str | None, before: Any, after: Any):
    given_input = copy.deepcopy(before)
    assert compile_result_path(path)(given_input, "result") == after
    assert given_input == before


@pytest.mark.parametrize(
    ("path", "before", "shown"),
    [
        ("$.a", "text", """step "a" to input "text\""""),
        ("$.a.b", {"a": [1]}, 'step "b" to input [1]'),
        ("$.a[2]", {"a": [1]}, "step 2 to input [1]"),
        ("$[0]", None, "step 0 to input null"),
    ],
)
def test_something_else_is_in_the_way(path: str, before: Any, shown: str):
    with pytest.raises(EvaluationError) as raised:
        compile_result_path(path)(before, 1)
    assert (raised.value.error, raised.value.cause) == ("States.ResultPathMatchFailure", f"Unable to apply {shown}")


@given(VALUES, NAMES, NAMES)
def test_what_is_put_is_found_and_all_else_stays(before: Any, first: str, second: str):
    if not isinstance(before, dict) or not isinstance(before.get(first, {}), dict):
        return
    after = compile_result_path(f"$.{first}.{second}")(before, "new")
    assert after[first][second] == "new"
    assert {key: value for key, value in after.items() if key != first} == {
        key: value for key, value in before.items() if key != first
    }
