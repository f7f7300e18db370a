"""Names that JSONata expressions read where Step Functions gives them nothing."""

import pytest

from workers.machines.language.jsonata import names_without_context

READS = {
    "phone": ("phone",),
    "$sum(a.b)": ("a",),
    '{"x": phone, "y": [$states.input.z, other]}': ("phone", "other"),
    "$x ? a : b": ("a", "b"),
    "function($x){phone}": ("phone",),
    "-a + $y": ("a",),
    "a[b = 1].c{d: e}": ("a",),
    "`a b` & a & a": ("a b", "a"),
    "$states.input.items[price > 5].name": (),
    "$map($x, function($v){$v.a})": (),
    "$x.(y + 1)": (),
    "$x^(b)": (),
    '$x ~> |a|{"b": 1}|': (),
    '{"a": 1}.a': (),
    "($f := function($a){$a.b}; $f($x))": (),
    "$uppercase($states.input.a)": (),
}


@pytest.mark.parametrize("code", READS)
def test_bare_names(code: str):
    assert names_without_context(f"{{% {code} %}}") == READS[code]


def test_an_expression_that_is_too_deep_is_told_elsewhere():
    assert names_without_context("{% " + "(" * 5000 + "1" + ")" * 5000 + " %}") == ()
