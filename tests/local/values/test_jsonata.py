"""JSONata in definitions: what Step Functions adds to it, its bounds, its errors."""

import sys
from typing import Any

import pytest
from hypothesis import given

from tests.local.values.scopes import CONTEXT, failure, scope
from tests.local.values.test_paths import VALUES
from workers.local.values.errors import EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Scope

INPUT = {"a": {"b": [1, 2]}, "none": None, "one": [1], "empty": []}


def compute(code: str, data: Any = INPUT, **variables: Any) -> Any:
    return compile_jsonata(f"{{% {code} %}}", "Output")(scope(data, **variables))


def refusal(code: str, data: Any = INPUT, **variables: Any) -> str:
    """What went wrong, without the sentence around it."""
    error, cause = failure(compile_jsonata(f"{{% {code} %}}", "Output"), scope(data, **variables))
    assert error == "States.QueryEvaluationError"
    start = f"The JSONata expression '{code}' specified for the field 'Output' "
    assert cause.startswith(start)
    return cause.removeprefix(start)


RESULTS: dict[str, Any] = {
    "$states.input.a.b[1]": 2,
    "$states.input.none": None,
    "$states.input.one": [1],
    "$states.input.empty": [],
    "$states.context.Execution.Id": "arn:execution",
    "6 / 2": 3,
    "7 / 2": 3.5,
    "[1..3]": [1, 2, 3],
    "null": None,
    '{"a": null, "b": [null, 1], "c": $states.input.nope}': {"a": None, "b": [None, 1]},
    "$exists($nothing)": True,
    "$type($nothing)": "null",
    "$kept & '!'": "here!",
    "$variable := 1": 1,
    "$partition([1,2,3], 2)": [[1, 2], [3]],
    "$partition([1,2,3], 2.9)": [[1, 2], [3]],
    "$range(1, 6, 2)": [1, 3, 5],
    "$range(3, 1, -1)": [3, 2, 1],
    "$range(1, 1, 1)": 1,
    "$hash('a', 'SHA-256')": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    """$parse('{"a": [1, null]}')""": {"a": [1, None]},
    "$random(7) = $random(7)": True,
    "$random(42)": 0.7275636800328681,
    "1 / 0": "Infinity",
    "[-1 / 0, 0 / 0, 5 % 0]": ["-Infinity", "NaN", "NaN"],
    '{"k": 1e308 * 10}': {"k": "Infinity"},
    "5.5 % 2": 1.5,
    "$string(1e20)": "100000000000000000000",
    "$string(9223372036854775808)": "9223372036854776000",
    "$string(1e21)": "1e+21",
    "$count([1..873782])": 873_782,
    "$length($uuid())": 36,
    "$contains('hello$world', /^hello\\$/)": True,
}


@pytest.mark.parametrize("code", RESULTS)
def test_an_expression_gives(code: str):
    found = compute(code, kept="here", nothing=None)
    assert found == RESULTS[code]
    assert type(found) is type(RESULTS[code])


@pytest.mark.parametrize(
    "code",
    [
        "$states.input.nope",
        "$unknown",
        "$partition([1], 0)",
        "$range(1, 2)",
        "$range(2, 1, 1)",
        "$hash('a')",
        "$parse()",
    ],
)
def test_nothing_is_an_error(code: str):
    assert refusal(code) == "returned nothing (undefined)."


@pytest.mark.parametrize("code", ["function($x){$x}", "$uppercase", '{"f": $uppercase}', "/a/"])
def test_what_is_no_json_is_an_error(code: str):
    with pytest.raises(EvaluationError) as raised:
        compute(code)
    assert raised.value.cause.endswith(f"'{code}' for the field 'Output' returned an unsupported result type.")


THROWN = {
    "$nope(1)": "T1006: Attempted to invoke a non-function",
    "$eval('1')": "T1006: Attempted to invoke a non-function",
    "sum(1)": "T1005: Attempted to invoke a non-function. Did you mean $sum?",
    "'a' + 1": 'T2001: The left side of the "+" operator must evaluate to a number',
    "1 < 'a'": 'T2009: The values 1 and "a" either side of operator "<" must be of the same data type',
    "1 / 0 + 1": "D1001: Number out of range: Infinity",
    "-'a'": 'D1002: Cannot negate a non-numeric value: "a"',
    "{1: 2}": "T1003: Key in object structure must evaluate to a string; got: 1",
    "$abs('a')": 'T0410: Argument 1 of function "abs" does not match function signature',
    "$abs(null)": 'T0410: Argument 1 of function "abs" does not match function signature',
    "$sum('a')": 'T0412: Argument 1 of function "sum" must be an array of "numbers"',
    "$number('x')": 'D3030: Unable to cast value to a number: "x"',
    "$replace('a', '', 'b')": "D3010: Second argument of replace function cannot be an empty string",
    "$formatBase(5, 99)": "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 99",
    "$error('own words')": "D3137: own words",
}


@pytest.mark.parametrize("code", THROWN)
def test_an_expression_throws_in_the_words_of_aws(code: str):
    assert refusal(code) == f"threw an error during evaluation. {THROWN[code]}"


@pytest.mark.parametrize(
    ("code", "why"),
    [("$parse('{')", "the string is no JSON"), ("$hash('a', 'CRC')", "must be one of"), ("$partition([1], -1)", "")],
)
def test_functions_of_step_functions_throw(code: str, why: str):
    refused = refusal(code)
    assert refused.startswith("threw an error during evaluation. ")
    assert why in refused


@pytest.mark.parametrize("code", ["$range(1, 9999999, 1)", "[1..873783]", "$length($pad('x', 7000000))"])
def test_what_an_expression_holds_is_bounded(code: str):
    too_much = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
    assert refusal(code) == f"threw an error during evaluation: {too_much}"


def test_expressions_nest_a_hundred_levels_as_on_aws():
    assert compute("+".join(["1"] * 100)) == 100
    assert "Depth=101 max=100" in refusal("+".join(["1"] * 101))
    deep = "($f := function($n){{ $n <= 0 ? 0 : 1 + $f($n - 1) }}; $f({}))"
    assert compute(deep.format(31)) == 31
    assert "Depth=101 max=100" in refusal(deep.format(32))


def test_endless_expressions_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.local.values.jsonata.MAX_SECONDS", 0.01)
    refused = refusal("($f := function($n){$f($n)}; $f(1))")
    assert refused.startswith("threw an error during evaluation: Expression evaluation timeout")


def test_results_and_error_outputs_are_seen_where_there_are_any():
    at = Scope({}, CONTEXT, {}, result=[1], error_output={"Error": "E"})
    value = compile_jsonata(["{% $states.result[0] %}", "{% $states.errorOutput.Error %}"], "Output")
    assert value(at) == [1, "E"]
    assert "returned nothing" in failure(value, scope({}))[1]


def test_expressions_stand_anywhere_and_are_located():
    value = {"a": [1, {"b": "{% $states.input.x %}"}], "c": "{% 1 %} "}
    assert compile_jsonata(value, "Assign")(scope({"x": 2})) == {"a": [1, {"b": 2}], "c": "{% 1 %} "}
    error, cause = failure(compile_jsonata(value, "Assign"), scope({}))
    assert error == "States.QueryEvaluationError"
    assert "for the field 'Assign/a[1]/b' returned nothing" in cause


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("'string'", "'string' for value: \"string\""),
        ("null", "'null' for value: null"),
        ("true", "'boolean' for value: true"),
    ],
)
def test_a_type_may_be_expected(code: str, shown: str):
    items = compile_jsonata(f"{{% {code} %}}", "Items", expected="array")
    why = f"returned an unexpected result type. Expected 'array', but was {shown}"
    assert failure(items, scope())[1].endswith(why)


def test_the_limit_of_recursion_is_left_alone():
    limit = sys.getrecursionlimit()
    assert compute("1") == 1
    assert sys.getrecursionlimit() == limit


@given(VALUES)
def test_the_input_goes_through_unchanged(value: Any):
    assert compute("$states.input", value) == value


@given(VALUES)
def test_variables_go_through_unchanged(value: Any):
    assert compute("[$kept]", None, kept=value) == [value] if not isinstance(value, list) else True
