"""Intrinsic functions: the examples of the developer guide, their limits, and how they fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.values.scopes import failure, scope
from tests.local.values.test_paths import VALUES
from workers.local.values.calls import compile_call

DATA = {
    "list": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "twice": [1, 2, 3, 3, 3, 1.0, True],
    "name": "Foo",
    "json": '{"number": 20}',
    "object": {"foo": "bar", "none": None},
    "other": {"foo": 1, "more": [1, 2]},
    "split": "This.is+a.test=string",
    "half": 2.5,
}

RESULTS: dict[str, Any] = {
    "States.Format('Hello, my name is {}.', $.name)": "Hello, my name is Foo.",
    "States.Format('{} {}', $.object, $.list[0])": "{foo=bar, none=null} 1",
    "States.Format('{}', $.other)": "{foo=1, more=[1, 2]}",
    "States.Format('{}|{}', States.Array('a', true), 1.5)": "[a, true]|1.5",
    r"States.Format('a\{\}b\'\\ {}', null)": "a{}b'\\ null",
    "States.Format($.name)": "Foo",
    "States.StringToJson($.json)": {"number": 20},
    "States.JsonToString($.object)": '{"foo":"bar","none":null}',
    "States.Array()": [],
    "States.Array($.name, 1, true, 'x', $.object.none)": ["Foo", 1, True, "x", None],
    "States.ArrayPartition($.list, 4)": [[1, 2, 3, 4], [5, 6, 7, 8], [9]],
    "States.ArrayContains($.list, 5)": True,
    "States.ArrayContains($.twice, false)": False,
    "States.ArrayRange(1, 9, 2)": [1, 3, 5, 7, 9],
    "States.ArrayRange(3, 1, -1)": [3, 2, 1],
    "States.ArrayRange(1, 0, 1)": [],
    "States.ArrayGetItem($.list, 5)": 6,
    "States.ArrayLength($.list)": 9,
    "States.ArrayUnique($.twice)": [1, 2, 3, True],
    "States.Base64Encode('Data to encode')": "RGF0YSB0byBlbmNvZGU=",
    "States.Base64Decode('RGF0YSB0byBlbmNvZGU=')": "Data to encode",
    "States.Hash('input data', 'SHA-1')": "aaff4a450a104cd177d28d18d74485e8cae074b7",
    "States.Hash('', 'MD5')": "d41d8cd98f00b204e9800998ecf8427e",
    "States.JsonMerge($.object, $.other, false)": {"foo": 1, "none": None, "more": [1, 2]},
    "States.MathAdd(111, -1)": 110,
    "States.MathAdd($.half, 0)": 3,
    "States.StringSplit('1,2,3,4,5', ',')": ["1", "2", "3", "4", "5"],
    "States.StringSplit(',1,,2 ', ',')": ["1", "2 "],
    "States.StringSplit(',,', ',')": [],
    "States.StringSplit('a-b]c', '-]')": ["a", "b", "c"],
    "States.StringToJson(' ')": None,
    "States.StringSplit($.split, '.+=')": ["This", "is", "a", "test", "string"],
    "States.ArrayLength(States.StringSplit($.split, '.+='))": 5,
}


@pytest.mark.parametrize("call", RESULTS)
def test_a_function_gives(call: str):
    assert compile_call(call)(scope(DATA)) == RESULTS[call]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("States.StringToJson($.name)", "no JSON"),
        ("States.ArrayPartition($.list, 0)", "must be positive"),
        ("States.ArrayRange(1, 5, 0)", "must not be 0"),
        ("States.ArrayRange(1, 1001, 1)", "1001 items"),
        ("States.ArrayGetItem($.list, 9)", "none at index 9"),
        ("States.ArrayGetItem($.list, -1)", "none at index -1"),
        ("States.ArrayLength($.name)", "expected an array"),
        ("States.Base64Decode('!')", "no base64"),
        ("States.Hash('x', 'CRC')", "one of MD5"),
        ("States.JsonMerge($.object, $.other, true)", "shallow"),
        ("States.JsonMerge($.object, $.list, false)", "two objects"),
        ("States.MathAdd(2147483647, 1)", "32-bit"),
        ("States.MathAdd('1', 1)", "expected an integer"),
        ("States.MathAdd(true, 1)", "expected an integer"),
        ("States.MathRandom(2, 2)", "less than the end"),
        ("States.Format($.name, 1)", "occurrences"),
        ("States.Format(1)", "expected a string"),
        ("States.StringSplit($.list, ',')", "expected a string"),
    ],
)
def test_a_function_refuses(call: str, why: str):
    error, cause = failure(compile_call(call), scope(DATA))
    assert error == "States.IntrinsicFailure"
    assert cause.startswith(f"The function '{call}' had the following error: Invalid arguments in States.")
    assert why in cause


def test_an_argument_that_is_not_there_is_told_as_aws_tells_it():
    error, cause = failure(compile_call("States.Format('{}', $.nope)"), scope({"other": 1}))
    assert error == "States.Runtime"
    assert cause == (
        "The function 'States.Format('{}', $.nope)' had the following error: The JsonPath argument for the field "
        """'$.nope' could not be found in the input '{"other":1}'"""
    )


def test_long_texts_are_refused():
    call = compile_call("States.Base64Encode($)")
    assert len(call(scope("x" * 10_000))) == 13_336
    assert "limit is 10000" in failure(call, scope("x" * 10_001))[1]


def test_random_numbers_repeat_with_a_seed():
    call = compile_call("States.MathRandom(1, 7, $.seed)")
    drawn = [call(scope({"seed": seed})) for seed in (*range(50), *range(50))]
    assert drawn[:50] == drawn[50:]
    assert set(drawn) == {1, 2, 3, 4, 5, 6}


def test_ids_differ():
    call = compile_call("States.UUID()")
    assert call(scope()) != call(scope())


@given(VALUES)
def test_json_survives_text(value: Any):
    assert compile_call("States.StringToJson(States.JsonToString($))")(scope(value)) == value


@given(st.text(max_size=50))
def test_text_survives_base64(text: str):
    assert compile_call("States.Base64Decode(States.Base64Encode($))")(scope(text)) == text


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_partitions_hold_everything_in_order(items: list[int], size: int):
    chunks = compile_call("States.ArrayPartition($.items, $.size)")(scope({"items": items, "size": size}))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(len(chunk) == size for chunk in chunks[:-1])
