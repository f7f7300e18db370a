"""The definitions recorded on AWS, from the folder beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

CASES_FILE = Path(__file__).parents[2].parent / "shared" / "conformance" / "asl_cases.json"

needs_cases = pytest.mark.skipif(not CASES_FILE.exists(), reason="the folder with the recorded cases is not here")


def recorded_cases() -> list[dict[str, Any]]:
    return json.loads(CASES_FILE.read_text()) if CASES_FILE.exists() else []


def recorded_definitions() -> list[Any]:
    return [pytest.param(case["definition"], id=case["id"].split("::")[-1]) for case in recorded_cases()]
