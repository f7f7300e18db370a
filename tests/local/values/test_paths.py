"""JSONPath as Step Functions reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.ext import parse

from tests.local.values.scopes import CONTEXT, STORE, failure, scope
from workers.local.values.paths import compile_lookup, compile_path, compile_selection
from workers.local.values.scope import MISSING

FOUND = {
    "$": STORE,
    "$.limit": 10,
    "$.books[0].title": "Sayings",
    "$.books[-1].title": "Moby Dick",
    "$['bicycle']['color']": "red",
    "$.books[*].title": ["Sayings", "Sword", "Moby Dick"],
    "$.books[1:].title": ["Sword", "Moby Dick"],
    "$.books[::2].title": ["Sayings", "Moby Dick"],
    "$.books[0,2].price": [8.95, 8.99],
    "$.bicycle.*": ["red", 19.95],
    "$..price": [8.95, 12.99, 8.99, 19.95],
    "$..books[0].title": ["Sayings"],
    "$.books[0]['title','price']": {"title": "Sayings", "price": 8.95},
    "$.books[1:]['title','price']": [{"title": "Sword", "price": 12.99}, {"title": "Moby Dick", "price": 8.99}],
    "$.books[?(@.isbn)].title": ["Sword", "Moby Dick"],
    "$.books[?(@.price < 9)].title": ["Sayings", "Moby Dick"],
    "$.books[?(@.price < $.limit)].title": ["Sayings", "Moby Dick"],
    "$.books[?(@.price > 9 && @.isbn == '1')].title": ["Sword"],
    "$.books[?(@.price > 9 || !(@.isbn))].title": ["Sayings", "Sword"],
    "$.books[?(@.title =~ /s.*/i)].title": ["Sayings", "Sword"],
    "$.books[?(@.isbn in ['2', '3'])].title": ["Moby Dick"],
    "$.books[?(@.isbn nin ['2'])].title": ["Sayings", "Sword"],
    "$.books[?(@.tags contains 'old')].title": ["Sayings"],
    "$.books[?(@.tags size 2)].title": ["Sayings"],
    "$.books[?(@.tags empty true)].title": ["Moby Dick"],
    "$.books[?(@.tags subsetof ['old', 'short', 'new'])].title": ["Sayings", "Moby Dick"],
    "$.books[?(@.title == $wanted)].price": [12.99],
    "$.books[?(@.price == null)]": [],
    "$.books.length()": 3,
    "$.books[*].price.max()": 12.99,
    "$.bicycle.keys()": ["color", "price"],
    "$.nothing[*]": [],
    "$.nothing[1:].more": [],
    "$..nothing": [],
    "$$": CONTEXT,
    "$$.Execution.Input.a": 1,
    "$wanted": "Sword",
    "$kept.inner[1]": 2,
}


@pytest.mark.parametrize("path", FOUND)
def test_a_path_finds(path: str):
    assert compile_lookup(path)(scope(STORE, wanted="Sword", kept={"inner": [1, 2]})) == FOUND[path]


@pytest.mark.parametrize(
    "path",
    ["$.nothing", "$.books[3]", "$.limit.more", "$.books.title", "$.bicycle[0]", "$$.Map", "$unknown", "$kept.x"],
)
def test_a_definite_path_may_lead_to_nothing(path: str):
    assert compile_lookup(path)(scope(STORE, kept={})) is MISSING


def test_nothing_at_a_path_is_told_as_aws_tells_it():
    assert failure(compile_path("$.no.such", "value.$"), scope({"é": None})) == (
        "States.Runtime",
        """The JSONPath '$.no.such' specified for the field 'value.$' could not be found in the input '{"é":null}'""",
    )
    assert failure(compile_selection("$.no[0]"), scope({})) == (
        "States.Runtime",
        "Invalid path '$.no[0]' : Missing property in path $['no']",
    )


def test_a_null_selection_chooses_an_empty_object():
    assert compile_selection(None)(scope({"a": 1})) == {}


def test_null_is_something():
    assert compile_path("$.a", "x.$")(scope({"a": None})) is None


NAMES = st.sampled_from("abc")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
STEPS = st.one_of(
    NAMES.map(".{}".format),
    st.integers(0, 2).map("[{}]".format),
    st.sampled_from(["[*]", "[1:]", "[:2]", "[0:2]"]),
    NAMES.map("..{}".format),
)


@given(VALUES, st.lists(STEPS, min_size=1, max_size=4).map(lambda steps: "$" + "".join(steps)))
def test_finds_what_another_library_finds(data: Any, path: str):
    """Of steps on which the dialects agree: members, indexes, slices, wildcards of lists, deep scans."""
    found = compile_lookup(path)(scope(data))
    listed = found if any(sign in path for sign in ("*", ":", "..")) else [] if found is MISSING else [found]
    expected = [match.value for match in parse(path).find(data)]
    assert sorted(map(repr, listed)) == sorted(map(repr, expected))
