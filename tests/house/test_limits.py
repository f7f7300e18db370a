"""Rules of the house that a machine can watch over."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.house.modules import FILES, ROOT

KEPT = ("workers", "interceptors", "tests", "docs", "examples", "benchmarks", "deploy", ".ci")
TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".js", ".css", ".html", ".svg", ".sh", ""}


@pytest.mark.parametrize("module", FILES)
def test_a_file_holds_one_concept_of_at_most_350_lines_and_says_which(module: str):
    text = FILES[module].read_text()
    assert text.count("\n") <= 350
    assert ast.get_docstring(ast.parse(text)), f"{module} does not say what it is about"


def test_a_function_fits_a_screen():
    long = [
        f"{module}.{node.name}: {lines} lines"
        for module, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > 50
    ]
    assert long == []


def kept_files() -> list[Path]:
    inside = [path for folder in KEPT for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in (*inside, *ROOT.glob("*")) if path.is_file() and path.suffix in TEXTS]


def test_no_file_knows_the_machine_it_was_written_on():
    places = {str(ROOT), sys.prefix, str(Path.home())} - {"/", "/root"}
    found = [path.relative_to(ROOT) for path in kept_files() if any(place in path.read_text() for place in places)]
    assert found == []


def test_the_constraints_pin_versions_and_record_no_address():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    wrong = [line for line in lines if not re.fullmatch(r"[\w.\[\],-]+==[\w.+!]+( ?;.*)?", line)]
    assert lines
    assert wrong == []


def test_no_mark_says_that_something_is_still_to_be_done():
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert [path.relative_to(ROOT) for path in kept_files() if mark.search(path.read_text())] == []


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
