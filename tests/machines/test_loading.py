from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.errors import UsageError
from workers.machines.loading.files import open_source, read_text
from workers.machines.loading.yaml_text import write_yaml


def data_of(text: str) -> Any:
    source = read_text(text)
    assert source.findings == ()
    return source.data


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("012", "012"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("1.", "1."),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2024-03-14", "2024-03-14"),
        ("2024-03-14T01:59:00Z", "2024-03-14T01:59:00Z"),
        ("=", "="),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_yaml_scalars_are_what_they_look_like(scalar: str, value: Any):
    found = data_of(f"key: {scalar}\n")["key"]
    assert found == value
    assert type(found) is type(value)


def test_yaml_keys_that_older_yaml_takes_for_something_else():
    assert data_of("on: 1\nyes: 2\n=: 3\n") == {"on": 1, "yes": 2, "=": 3}


def test_anchors_and_merges():
    text = """
    patient: &patient {error_equals: E, max_attempts: 9}
    slow: &slow {interval_seconds: 60, max_attempts: 2}
    retry:
      - *patient
      - <<: *patient
        max_attempts: 1
      - {<<: [*patient, *slow], comment: first wins}
    """
    found = data_of(text)["retry"]
    assert found[0] == {"error_equals": "E", "max_attempts": 9}
    assert found[1] == {"error_equals": "E", "max_attempts": 1}
    assert found[2] == {"error_equals": "E", "max_attempts": 9, "interval_seconds": 60, "comment": "first wins"}


@pytest.mark.parametrize("text", ["a:\n  - b\n  - c: 1\n    d: 2\n", '{"a": ["b",\n {"c": 1,\n\n "d": 2}]}'])
def test_every_key_has_its_line(text: str):
    source = read_text(text)
    lines = {where: source.line(where) for where in [("a",), ("a", 0), ("a", 1), ("a", 1, "c"), ("a", 1, "d")]}
    expected = [1, 2, 3, 3, 4] if text.startswith("a") else [1, 1, 2, 2, 4]
    assert list(lines.values()) == expected
    assert source.line(("a", 1, "d", "deeper")) == expected[-1]
    assert source.line(()) is None
    assert source.line(("nowhere",)) is None


def test_lines_in_json_are_not_fooled_by_texts():
    source = read_text('{"{\\"a\\": [": "]}\\n,:",\n"b": [[], {}, [{}, [1,\n2]]],\n"c\\u00e9": 1}')
    assert source.line(("b",)) == 2
    assert source.line(("b", 2, 1, 0)) == 2
    assert source.line(("b", 2, 1, 1)) == 3
    assert source.line(("cé",)) == 4


def test_lines_of_what_is_written_elsewhere_are_there():
    source = read_text("base: &base\n  a: 1\n  b: 2\nx:\n  b: 3\n  <<: *base\ny: [*base]\n")
    assert source.line(("x", "a")) == 2
    assert source.line(("x", "b")) == 5
    assert source.line(("y", 0)) == 7
    assert source.line(("y", 0, "b")) == 3


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: [1", "is no YAML: while parsing a flow sequence", 2),
        ("a: 1\n b: 2", "is no YAML", 2),
        ("a:\n  - [>=, $.a, 1]", 'is no YAML: a text cannot begin with >: put it in quotes, as in ">="', 2),
        ("a:\n\tb: 1", "is no YAML: there is a tab at column 1: indent with spaces", 2),
        ("a: @b", 'put it in quotes, as in "@b"', 1),
        ("a: !Sub x", "the tag !Sub means nothing here", 1),
        ("a: !!int '12'", "the tag tag:yaml.org,2002:int means nothing here", 1),
        ("a: !!set {x}", "the tag tag:yaml.org,2002:set means nothing here", 1),
        ("a: !mine [x]", "the tag !mine means nothing here", 1),
        ("a: &x [*x]", "an alias stands inside of what it stands for", 1),
        ("? [a]\n: 1", "a key is text", 1),
        ("<<: 1", "<< takes an object", 1),
        ("a: *nothing", "there is no anchor &nothing before this", 1),
        ("a: 1\n---\nb: 1", "is no YAML: expected a single document", 2),
        ("a: \x00", "is no YAML", None),
        ("? *a\n: 1", "a key is text, not a list, an object or an alias", 1),
        ("a: 1" + "0" * 5000, "is too large", 1),
        ("", "is empty", None),
        ('{"a": 1,}', "is no JSON", 1),
        ('{"a": Infinity}', "Infinity is no number in JSON", None),
        ('{"a": 1e999}', "the number 1e999 is too large", None),
        ('{"a": ' + "9" * 5000 + "}", "is no JSON", None),
        ('{"a": ' * 100_000, "is nested too deeply", None),
        ("[" * 100_000, "is nested too deeply", None),
    ],
)
def test_what_cannot_be_read(text: str, message: str, line: int | None):
    source = read_text(text)
    assert not source.readable
    (finding,) = source.findings
    assert message in finding.message
    if not (line and "document" in message):
        assert source.line(()) == line


def test_aliases_that_unfold_without_end_are_refused():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    (finding,) = read_text(text).findings
    assert "larger than any definition" in finding.message


def test_a_text_that_is_far_too_long_is_not_read():
    (finding,) = read_text("a: " + "x" * 10_000_001).findings
    assert "no definition is that long" in finding.message


def test_keys_given_twice_are_found_and_the_last_counts():
    for text in ("a: 1\nb:\n  c: 1\n  c: 2\n", '{"a": 1, "b": {\n\n"c": 1,\n"c": 2}}'):
        source = read_text(text)
        assert source.readable
        assert source.data == {"a": 1, "b": {"c": 2}}
        (finding,) = source.findings
        assert finding.where == ("b", "c")
        assert f"first in line {source.line(('b', 'c')) - 1}" in finding.message


def test_files(tmp_path: Path):
    path = tmp_path / "machine.yaml"
    path.write_bytes(b"\xef\xbb\xbfstart_at: \xc3\xa9\n")
    assert open_source(path).data == {"start_at": "é"}
    assert open_source(str(path)).name == str(path)
    path.write_bytes(b"start_at: \xff")
    (finding,) = open_source(path).findings
    assert "is no UTF-8 text" in finding.message
    strict = tmp_path / "machine.json"
    strict.write_text("start_at: S")
    (finding,) = open_source(strict).findings
    assert "is no JSON" in finding.message


@pytest.mark.parametrize("path", ["/nowhere/at/all.yaml", "/", "a\0b"])
def test_files_that_cannot_be_opened(path: str):
    with pytest.raises(UsageError, match="cannot read"):
        open_source(path)


def test_data_is_its_own_source():
    data = {"start_at": "S"}
    assert open_source(data).data is data


@pytest.mark.parametrize(
    "text", ["on", "no", "012", "1e5", "1.5", "~", "", "<<", "=", "2024-03-14", "a: b", "x\x85y\u2028"]
)
def test_text_stays_text_in_yaml(text: str):
    written = write_yaml({text: [text]})
    assert data_of(written) == {text: [text]}
    assert yaml.safe_load(written) == {text: [text]}


def test_what_occurs_twice_is_written_twice():
    part = {"a": [1]}
    assert write_yaml([part, part]) == "- a:\n  - 1\n- a:\n  - 1\n"
