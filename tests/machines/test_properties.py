"""What holds for every definition, shown on generated ones."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.machines.strategies import json_values, knocked_over, machines
from workers.arns import Place
from workers.machines import Severity, StateMachine, from_asl, parse, validate
from workers.machines.loading.yaml_text import write_yaml
from workers.machines.notation.reading import read
from workers.machines.notation.writing import write
from workers.machines.validation.checker import check

HERE = Place("aws", "us-east-1", "123456789012")
some = settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
many = settings(some, max_examples=300)


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: 1 is not 1.0 and not true."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@some
@given(machines())
def test_a_valid_definition_has_no_errors_and_survives_the_model(asl: dict[str, Any]):
    assert [finding for finding in check(asl) if finding.severity is Severity.ERROR] == []
    assert same(StateMachine.model_validate(asl).to_asl(), asl)


@some
@given(machines(), st.sampled_from([None, HERE]), st.sampled_from([None, "NS"]))
def test_stepwise_case_2_a_valid_definition_survives_the_notation(
    asl: dict[str, Any], place: Place | None, namespace: str | None
):
    notation = write(asl, place=place, namespace=namespace)
    reading = read(notation, place=place or HERE, namespace=namespace)
    assert reading.findings == []
    assert same(reading.asl, asl)


@some
@given(machines())
def test_the_notation_survives_yaml_and_json(asl: dict[str, Any]):
    notation = from_asl(asl, place=HERE)
    for text in (write_yaml(notation), json.dumps(notation, indent=2)):
        assert same(parse(text).to_asl(place=HERE), asl)


@some
@given(knocked_over(), st.booleans())
def test_no_definition_gives_a_traceback(asl: Any, short: bool):
    given_data = write(asl, place=HERE) if short and isinstance(asl, dict) else asl
    problems = validate(given_data)
    if not any(problem.severity is Severity.ERROR for problem in problems):
        StateMachine.model_validate(asl)


@settings(some, max_examples=150)
@given(json_values)
def test_no_json_gives_a_traceback(data: Any):
    parse(json.dumps(data)).problems  # noqa: B018 - judged when it is first looked at


@settings(some, max_examples=300)
@given(st.text(alphabet="abc:-[]{},&*!|>'\"#%@ \n\t0.<$", max_size=60))
def test_no_text_gives_a_traceback(text: str):
    parse(text).problems  # noqa: B018 - judged when it is first looked at


@pytest.mark.slow
@many
@given(machines())
def test_many_valid_definitions(asl: dict[str, Any]):
    assert [finding for finding in check(asl) if finding.severity is Severity.ERROR] == []
    assert same(StateMachine.model_validate(asl).to_asl(), asl)
    for place in (None, HERE):
        notation = from_asl(asl, place=place)
        assert same(parse(write_yaml(notation)).to_asl(place=HERE), asl)


@pytest.mark.slow
@many
@given(knocked_over())
def test_many_broken_definitions(asl: Any):
    if not any(problem.severity is Severity.ERROR for problem in validate(asl)):
        StateMachine.model_validate(asl)
