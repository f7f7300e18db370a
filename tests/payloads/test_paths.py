"""Paths in `keys=` and `keep=`."""

import pytest

from workers.errors import UsageError
from workers.payloads.paths import overlap, parse_path, parse_paths, places

DOCUMENT = {"items": [{"id": 1, "odd key": 2}, {"id": 3}], "a": {"b": {"c": 4}}, "a.b": 5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [("a",)]),
        ("a.b", [("a.b",)]),
        ("$.a.b", [("a", "b")]),
        ("$", [()]),
        ("$.items[*].id", [("items", 0, "id"), ("items", 1, "id")]),
        ("$.items[1].id", [("items", 1, "id")]),
        ("$.items[*]['odd key']", [("items", 0, "odd key")]),
        ('$["a.b"]', [("a.b",)]),
        ("$.*.b", [("a", "b")]),
        ("$.a[*][*]", [("a", "b", "c")]),
        ("$.missing.key", []),
        ("$.items[7]", []),
        ("$.items.id", []),
        ("$.a[0]", []),
        ("missing", []),
    ],
)
def test_a_path_names_places(text, expected):
    assert places(DOCUMENT, parse_path(text)) == expected


@pytest.mark.parametrize("text", ["$a", "$.", "$.a[", "$.a[x]", "$..a", "$.a['b]", "$.a b"])
def test_a_path_that_cannot_be_read_is_refused(text):
    with pytest.raises(UsageError, match="cannot be read from"):
        parse_path(text)


def test_an_option_takes_a_list():
    assert parse_paths(["a", "$.b"], "keep") == (("a",), ("b",))
    with pytest.raises(UsageError, match=r"keep is the text 'a': it must be a list"):
        parse_paths("a", "keep")


def test_a_list_is_no_object():
    assert places(["x"], parse_path("$[0]")) == [(0,)]
    assert places({"0": "x"}, parse_path("$[0]")) == []
    assert places([["x"]], parse_path("0")) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "$.a.b", True),
        ("$.a.b", "a", True),
        ("$.items[*].id", "$.items[3]", True),
        ("a", "b", False),
        ("$.a.b", "$.a.c", False),
    ],
)
def test_overlapping_paths_are_told(one, other, expected):
    assert overlap(parse_path(one), parse_path(other)) is expected
