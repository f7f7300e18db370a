import pytest

from workers.machines.language import intrinsics, jsonata, paths
from workers.machines.language.intrinsics import Call, Constant, Text, parse_call
from workers.machines.language.jsonata import check_expression
from workers.machines.language.paths import (
    Comparison,
    Descent,
    Filter,
    Function,
    Index,
    Literal,
    Logic,
    Member,
    Slice,
    Union,
    Wildcard,
    parse_path,
)
from workers.machines.language.scanner import ExpressionError


@pytest.mark.parametrize(
    ("text", "root", "steps"),
    [
        ("$", "$", ()),
        ("$$", "$$", ()),
        ("$order", "order", ()),
        ("$order.id", "order", (Member("id"),)),
        ("$.a.b[0]", "$", (Member("a"), Member("b"), Index(0))),
        ("$.a[-1]", "$", (Member("a"), Index(-1))),
        ("$['a b']", "$", (Member("a b"),)),
        ('$["it\\"s"]', "$", (Member('it"s'),)),
        ("$.größe", "$", (Member("größe"),)),
        ("$$.Execution.Input.input-value", "$$", (Member("Execution"), Member("Input"), Member("input-value"))),
        ("$.a[*]", "$", (Member("a"), Wildcard())),
        ("$.*", "$", (Wildcard(),)),
        ("$.a[1:5].b", "$", (Member("a"), Slice(1, 5, None), Member("b"))),
        ("$.a[:1]", "$", (Member("a"), Slice(None, 1, None))),
        ("$.a[::2]", "$", (Member("a"), Slice(None, None, 2))),
        ("$.a[0, 2]", "$", (Member("a"), Union((Index(0), Index(2))))),
        ("$['a','b']", "$", (Union((Member("a"), Member("b"))),)),
        ("$..a", "$", (Descent(), Member("a"))),
        ("$..[0]", "$", (Descent(), Index(0))),
        ("$..*", "$", (Descent(), Wildcard())),
        ("$.a.length()", "$", (Member("a"), Function("length"))),
    ],
)
def test_paths(text: str, root: str, steps: tuple[paths.Step, ...]):
    found = parse_path(text)
    assert (found.root, found.steps, found.text) == (root, steps, text)


def test_a_filter_is_read_to_its_operators():
    (step,) = parse_path("$[?(@.a >= 1.5 && !(@['b'] == 'x' || @.c) || @.d in [1, null])]").steps
    assert isinstance(step, Filter)
    either = step.test
    assert isinstance(either, Logic)
    assert either.operator == "||"
    both, among = either.parts
    assert isinstance(both, Logic)
    assert both.parts[0] == Comparison(parse_filter_path("@.a"), ">=", Literal(1.5))
    assert isinstance(both.parts[1], Logic)
    assert both.parts[1].operator == "!"
    assert among == Comparison(parse_filter_path("@.d"), "in", Literal((1, None)))


def parse_filter_path(text: str) -> paths.Path:
    return paths.read_path(paths.Scanner(text), in_filter=True)


@pytest.mark.parametrize("text", ["$[?(@.name =~ /^a.*\\/b$/i)]", "$[?($.limit < @.price)]", "$[?(@.tags empty true)]"])
def test_other_filters(text: str):
    assert isinstance(parse_path(text).steps[0], Filter)


@pytest.mark.parametrize(
    ("text", "reference", "definite"),
    [
        ("$", True, True),
        ("$.a['b'][0]", True, True),
        ("$order.id", True, True),
        ("$$.Task.Token", False, True),
        ("$.a[*]", False, False),
        ("$..a", False, False),
        ("$.a[0,1]", False, False),
        ("$.a[?(@.b)]", False, False),
    ],
)
def test_reference_paths_name_one_place(text: str, reference: bool, definite: bool):
    found = parse_path(text)
    assert (found.reference, found.definite) == (reference, definite)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a path starts with $"),
        ("a.b", "a path starts with $, found 'a' (character 1)"),
        ("$.", "'.' needs a name after it"),
        ("$..", "'.' needs a name after it"),
        ("$.a.[0]", "leave the dot out"),
        ("$.a b", "a path cannot go on with ' '"),
        ("$.a[", "expected an index"),
        ("$.a[x]", "expected an index"),
        ("$.a[0", "expected ']', found the end"),
        ("$.a['b]", "the ' that opens here is never closed (character 5)"),
        ("$.a['b',1]", "expected a quoted name"),
        ("$.a[0,'b']", "expected an index, found"),
        ("$.a.explode()", "there is no function explode()"),
        ("$.a.length().b", "nothing can follow a function"),
        ("$.a[?@.b]", "expected '('"),
        ("$.a[?(@.b >)]", "expected a path or a value"),
        ("$.a[?(@.b == bee)]", "expected a path or a value"),
        ("$.a[?(@.b in [@.c])]", "constants only"),
        ("$.a[?(@.b in [1 2])]", "expected , or ]"),
        ("$[" + "9" * 5000 + "]", "expected ']'"),
        ("$[?(" + "(" * 100_000, "nested too deeply"),
    ],
)
def test_faults_of_paths(text: str, message: str):
    with pytest.raises(ExpressionError) as caught:
        parse_path(text)
    assert message in str(caught.value)


def test_a_call():
    call = parse_call("States.Format('{} \\{\\} it\\'s {}', $.a, States.MathAdd($$.State.RetryCount, -1))")
    template, first, second = call.arguments
    assert isinstance(template, Text)
    assert template.parts == ("", " {} it's ", "")
    assert template.value == "{} {} it's {}"
    assert first == parse_path("$.a")
    assert isinstance(second, Call)
    assert second.arguments[1] == Constant(-1)


@pytest.mark.parametrize("name", sorted(intrinsics.FUNCTIONS))
def test_every_function_takes_its_arguments_and_no_others(name: str):
    counts = [count for count in range(5) if accepts(name, count)]
    expected = {
        "States.Array": [0, 1, 2, 3, 4],
        "States.Format": [1, 2, 3, 4],
        "States.UUID": [0],
        "States.ArrayRange": [3],
        "States.JsonMerge": [3],
        "States.MathRandom": [2, 3],
    }
    one = {"ArrayLength", "ArrayUnique", "Base64Decode", "Base64Encode", "JsonToString", "StringToJson"}
    assert counts == expected.get(name, [1] if name.removeprefix("States.") in one else [2])


def accepts(name: str, count: int) -> bool:
    try:
        parse_call(f"{name}({', '.join(['$.x'] * count)})")
    except ExpressionError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("States.Nothing()", "there is no intrinsic function States.Nothing"),
        ("States.UUID", "expected '('"),
        ("States.Array(", "expected a path"),
        ("States.Array(1,)", "expected a path"),
        ("States.Array(1 2)", "expected ','"),
        ("States.Array('a)", "never closed"),
        ("States.Array('a\\", "never closed"),
        ("States.Array($.)", "'.' needs a name"),
        ("States.UUID() + 1", "nothing can follow the call"),
        ("States.Hash('a')", "States.Hash takes 2 arguments, found 1"),
        ("States.UUID(1)", "States.UUID takes 0 arguments, found 1"),
        ("States.MathRandom(1)", "takes 2 to 3 arguments"),
        ("States.Format()", "takes 1 or more arguments"),
        ("States.Format('{} {}', $.a)", "the template has 2 {}, but 1 values follow it"),
        ("States.Array(" * 11 + ")" * 11, "more than 10 intrinsic functions are nested"),
    ],
)
def test_faults_of_calls(text: str, message: str):
    with pytest.raises(ExpressionError) as caught:
        parse_call(text)
    assert message in str(caught.value)


def test_what_is_an_expression():
    assert jsonata.is_expression("{% 1 %}")
    assert not jsonata.is_expression("{%}")
    assert not jsonata.is_expression(1)
    assert jsonata.looks_like_expression("{% 1")
    assert jsonata.looks_like_expression(" {% 1 %}")
    assert not jsonata.looks_like_expression("100 %")
    assert jsonata.body("{%  $x %}") == "$x"


@pytest.mark.parametrize(
    "text",
    [
        "{% $states.input.x + 1 %}",
        "{% $states.errorOutput.Error = 'x' %}",
        "{% '$states.nothing and $eval(1)' %}",
        "{% $contains('hello$world', /^hello\\$/) %}",
        "{% $variable := 1 %}",
        "{% /* $eval(1) */ $sum([1..3]) %}",
    ],
)
def test_expressions(text: str):
    check_expression(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% %}", "there is nothing between"),
        ("{% $states.output %}", "there is no $states.output"),
    ],
)
def test_faults_of_expressions(text: str, message: str):
    with pytest.raises(ExpressionError) as caught:
        check_expression(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["{% 1 + %}", "{% $f( %}", "{% 'a %}", "{% " + "(" * 50_000 + " %}"])
def test_faults_that_the_jsonata_package_finds(text: str):
    pytest.importorskip("jsonata")
    with pytest.raises(ExpressionError):
        check_expression(text)
    check_expression("{% 1 %}")  # the parser is as good as new


def test_a_fault_points_into_the_whole_expression():
    pytest.importorskip("jsonata")
    with pytest.raises(ExpressionError) as caught:
        check_expression("{%   $states.nothing %}")
    assert caught.value.at == 5


def test_without_the_jsonata_package_only_our_own_rules_are_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jsonata, "_can_parse", lambda: False)
    check_expression("{% 1 + + %}")
