"""The recorded cases written in the notation: the same JSON text comes back, so they leave the same histories."""

import json

import pytest

from tests.conformance.player import Case, load_cases
from workers.arns import Place
from workers.machines import from_asl, parse
from workers.machines.loading.yaml_text import write_yaml

CASES = load_cases()
HERE = Place("aws", "us-east-1", "111111111111")

pytestmark = pytest.mark.skipif(not CASES, reason="the folder with the recorded cases is not beside the repository")


def _text(definition: object) -> str:
    """The definition as `play` sends it, but for the order of keys, which means nothing: 1, 1.0 and true differ."""
    return json.dumps(definition, sort_keys=True)


@pytest.mark.parametrize("place", [None, HERE], ids=["by ARN", "by name"])
@pytest.mark.parametrize("case", CASES, ids=[case["id"].partition("::")[2] for case in CASES])
def test_the_case_that_comes_back_from_the_notation_is_the_recorded_one(case: Case, place: Place | None):
    notation = from_asl(case["definition"], place=place)
    for written in (write_yaml(notation), json.dumps(notation)):
        assert _text(parse(written).to_asl(place=place or HERE)) == _text(case["definition"])
