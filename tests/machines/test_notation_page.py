"""The page about the notation: its YAML becomes the JSON beside it, and its table lists every problem."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from workers.arns import Place
from workers.machines import from_asl, parse
from workers.machines.loading.files import read_text
from workers.machines.notation.reading import read

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "notation.md").read_text()
HERE = Place("aws", "eu-central-1", "123456789012")
BLOCKS = re.findall(r"^```\{\.yaml \.(\w+)\}\n(.*?)^```\n(?:\n```json\n(.*?)^```)?", PAGE, re.DOTALL | re.MULTILINE)


def in_a_machine(kind: str, data: Any) -> dict[str, Any]:
    if kind == "condition":
        data = {"type": "choice", "choices": [{"condition": data, "next": "S"}]}
    return {"start_at": "S", "states": {"S": data}}


@pytest.mark.parametrize(("kind", "yaml", "json_text"), BLOCKS, ids=[block[1].splitlines()[0] for block in BLOCKS])
def test_the_yaml_of_the_page(kind: str, yaml: str, json_text: str):
    if kind == "machine":
        definition = parse(yaml)
        assert definition.problems == ()
        asl = definition.to_asl(place=HERE)
        assert parse(yaml).to_asl(place=HERE) == parse(json.dumps(from_asl(asl, place=HERE))).to_asl(place=HERE)
        return
    reading = read(in_a_machine(kind, read_text(yaml).data), place=HERE)
    assert reading.findings == []
    asl = reading.asl["States"]["S"]
    if kind == "condition":
        asl = {key: value for key, value in asl["Choices"][0].items() if key != "Next"}
    expected = json.loads(json_text)
    assert asl == expected
    assert {key: json.dumps(value) for key, value in asl.items()} == {
        key: json.dumps(expected[key]) for key in expected
    }


def test_there_is_yaml_of_every_kind():
    assert {kind for kind, _, _ in BLOCKS} == {"machine", "state", "condition"}
    assert PAGE.count("```{.yaml") == len(BLOCKS)


def test_the_table_lists_every_problem_with_its_severity():
    listed = dict(re.findall(r"^\| `([\w-]+)` \| ((?:error|warning|, )+) \|", PAGE, re.MULTILINE))
    source = "\n".join(path.read_text() for path in (ROOT / "workers" / "machines").rglob("*.py"))
    errors = set(re.findall(r'(?:\.error\(|Finding\()\s*"([\w-]+)"', source))
    warnings = set(re.findall(r'\.warning\(\s*"([\w-]+)"', source))
    assert set(listed) == errors | warnings
    assert {code for code, severity in listed.items() if "error" in severity} == errors
    assert {code for code, severity in listed.items() if "warning" in severity} == warnings
