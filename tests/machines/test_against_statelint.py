"""Our verdicts against those of statelint, a linter that shares no code with ours.

Where the two differ, the reason is written down: AWS's own records, or rules that statelint does not know.
"""

import re
from typing import Any

import pytest
from hypothesis import given, settings

from tests.machines.broken import BROKEN
from tests.machines.conformance import needs_cases, recorded_definitions
from tests.machines.strategies import knocked_over, machines
from tests.machines.test_properties import many, some
from workers.machines import Severity
from workers.machines.loading.files import read_text
from workers.machines.notation.reading import read
from workers.machines.validation.checker import check

linter = pytest.importorskip("statelint.linter").Linter

TOO_STRICT = [
    # Cases recorded on AWS ran with these:
    r'Field "Assign" not allowed',  # test_base_cases: variables in JSONPath states
    r'Field "ProcessorConfig" not allowed in .*Iterator',  # test_map_state_legacy_config_distributed
    r"is not a JSONPath or intrinsic function expression",  # test_reference_assign: variables as paths
    r"(?<!Result)Path is \"\$[$\w][^\"]*\" but should be",  # test_error_cause_path: `$$`, and variables
    r"is \"\{% .* but should be an Integer",  # test_wait_seconds_jsonata: expressions where numbers stand
    # And the developer guide has these:
    r"(Equals|Than)Path is .* but should be a Reference Path",
    r"is 99999999 but allowed ceiling is 99999999",
    r"BackoffRate is \d+ but should be a Float",
    r"Path is \"\$\['a b'\]\" but should be",
    r"Condition is (true|false) but should be a String",
    r'Field "(Label|InputType|CSVHeaderLocation)" not allowed',
]
ONLY_OURS = {
    "timeout of a map": "AWS refuses it: SCHEMA_VALIDATION_FAILED, Field 'TimeoutSeconds' is not supported",
    "no resource": "statelint takes Resource for optional",
    "no execution type": "statelint does not look into ProcessorConfig",
    "no size of batches": "statelint takes an empty ItemBatcher",
    "no headers": "statelint does not look into ReaderConfig",
    "key with and without .$": "statelint judges keys one by one",
    "long name": "statelint does not measure names",
    "bad label": "statelint does not know labels",
    "long label": "statelint does not know labels",
    "reserved variable": "statelint does not judge the names of variables",
    "bad variable": "statelint does not judge the names of variables",
    "bad path in parameters": "statelint does not look into lists",
    "no path in parameters": "statelint judges texts only",
    "unknown function": "statelint does not know the functions",
    "reserved error": "statelint does not know which names Step Functions reserves",
    "reserved HTTP status": "statelint does not know which names Step Functions reserves",
    "States.ALL in company": "statelint judges the place of States.ALL only",
    "error without a name": "statelint takes any text",
    "delays the wrong way round": "statelint does not compare the two delays",
    "longest time": "statelint knows no upper limit",
    "true seconds": "in Python, True is an int",
    "day without an hour": "statelint takes any date",
    "heartbeat as long as the timeout": "statelint does not compare the two",
    "resource that is no ARN": "statelint takes any URI",
    "reader of an inline map": "statelint does not look at the mode",
    "unknown mode": "statelint does not look into ProcessorConfig",
    "parameters that are text": "statelint takes any JSON",
    "activity in an express map": "statelint does not know activities",
    "path without $": "statelint parses paths loosely",
    "path with a hole": "statelint parses paths loosely",
    "function in a path": "statelint takes functions for paths",
    "too few arguments": "statelint does not count arguments",
    "no condition": "statelint takes a rule without a comparison",
    "no path to compare": "statelint takes any text",
    "back to JSONPath": "AWS refuses it: can not be 'JSONPath' if set to 'JSONata' for whole state machine",
    "expression that is not closed": "statelint evaluates JSONata only when asked to",
    "empty expression": "statelint evaluates JSONata only when asked to",
    "unknown part of $states": "statelint evaluates JSONata only when asked to",
}


def theirs(asl: Any) -> list[str]:
    try:
        problems = linter.validate(spelled_out(asl, asl.get("QueryLanguage", "JSONPath")))
    except (AttributeError, TypeError, KeyError, AssertionError):
        return []  # it does not survive every definition
    return [problem for problem in problems if not any(re.search(known, problem, re.DOTALL) for known in TOO_STRICT)]


def spelled_out(asl: Any, language: str) -> Any:
    """The definition with its language at every state: statelint lets nested states inherit it from the Map."""
    if isinstance(asl, list):
        return [spelled_out(part, language) for part in asl]
    if not isinstance(asl, dict):
        return asl
    found = {key: spelled_out(value, language) for key, value in asl.items()}
    return {"QueryLanguage": language} | found if "Type" in found else found


def ours(asl: Any) -> list[str]:
    return [str(finding) for finding in check(asl) if finding.severity is Severity.ERROR]


@needs_cases
@pytest.mark.parametrize("definition", recorded_definitions())
def test_what_aws_took(definition: dict[str, Any]):
    assert ours(definition) == []
    assert theirs(definition) == []


def broken_asl() -> list[Any]:
    found = []
    for name, (text, *_) in BROKEN.items():
        source = read_text(text)
        reading = read(source.data)
        if isinstance(source.data, dict) and not source.findings and not reading.findings:
            found.append(pytest.param(name, reading.asl, id=name))
    return found


@pytest.mark.parametrize(("name", "asl"), broken_asl())
def test_what_is_broken(name: str, asl: Any):
    assert ours(asl)
    assert bool(theirs(asl)) != (name in ONLY_OURS), theirs(asl)


@pytest.mark.slow
@some
@given(machines())
def test_what_is_valid(asl: Any):
    assert theirs(asl) == []


@pytest.mark.slow
@settings(some, max_examples=40)
@given(knocked_over())
def test_what_one_refuses_the_other_refuses(asl: Any):
    if problems := theirs(asl):
        assert ours(asl), problems


@pytest.mark.slow
@many
@given(knocked_over())
def test_what_one_refuses_the_other_refuses_many_times(asl: Any):
    if problems := theirs(asl):
        assert ours(asl), problems
