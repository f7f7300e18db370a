"""Every block that the pages show is checked by what reads its language; Python runs in `test_docs.py`."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.docs.test_commands import ROOT, check, words
from workers.embedded import read_definitions
from workers.machines import Severity, validate
from workers.machines.stepwise.sugar import from_stepwise
from workers.manager.batch.graph import read_graph

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:\{\.)?(?P<language>\w+)(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def is_json(text: str) -> None:
    """JSON, or members of an object; an ellipsis stands for more of it."""
    plain = re.sub(r",?\s*…", "", text)
    try:
        json.loads(plain)
    except ValueError:
        json.loads(f"{{{plain}}}")


def is_yaml(text: str) -> None:
    """YAML; a machine in it, a list of definitions or a definition of jobs is a valid one."""
    found: Any = yaml.safe_load(text)
    if isinstance(found, list) and found and "stateMachine" in found[0]:
        assert read_definitions(text.encode())
    elif isinstance(found, dict) and found.get("manager") == "batch":
        assert read_graph(found["stateMachine"]).waves
    elif isinstance(found, dict) and {"start_at", "StartAt"} & found.keys():
        assert [str(one) for one in validate(found) if one.severity is Severity.ERROR] == []
    else:
        assert found


def is_shell(text: str) -> None:
    """What a shell can read."""
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def is_console(text: str) -> None:
    """Commands after a dollar; those of `workers` are taken by the command line."""
    lines = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    assert lines
    for line in lines:
        is_shell(line)
        if line.startswith("workers "):
            check(words(line))


def is_the_example(text: str) -> None:
    """The image of deploy/example."""
    assert text in (ROOT / "deploy" / "example" / "Dockerfile").read_text()


def is_stepwise(text: str) -> None:
    """A machine of Stepwise."""
    assert from_stepwise(text).notation["states"]


CHECKS: dict[str, Callable[[str], Any]] = {
    "bash": is_shell,
    "clojure": is_stepwise,
    "console": is_console,
    "dockerfile": is_the_example,
    "json": is_json,
    "mermaid": str,  # drawn by the site
    "python": lambda text: compile(text, "page", "exec", flags=0x2000),  # await may stand outside of functions
    "sh": is_shell,
    "text": str,
    "yaml": is_yaml,
}
BLOCKS = [
    pytest.param(found["language"], found["text"], id=f"{page.relative_to(ROOT)}-{found['language']}-{number}")
    for page in PAGES
    for number, found in enumerate(BLOCK.finditer(page.read_text()))
    if found["language"] not in {"text", "mermaid"}
]


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_a_block_is_what_it_says(language: str, text: str):
    CHECKS[language](text)


def test_every_fence_is_one_for_the_site_too():
    """A language alone, or classes and keys in braces: words without braces make text of the block."""
    fences = [line for page in PAGES for line in page.read_text().splitlines() if line.startswith("```")]
    assert [line for line in fences if not re.fullmatch(r"```(\w*|\{\.\w+( [.\w=/-]+)*\})", line)] == []


def test_no_language_goes_unread():
    shown = {found["language"] for page in PAGES for found in BLOCK.finditer(page.read_text())}
    assert shown <= CHECKS.keys()


@pytest.mark.parametrize("name", ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"])
def test_every_link_of_the_papers_leads_somewhere(name: str):
    targets = re.findall(r"\]\((?!\w+:)([^)#]+)", (ROOT / name).read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []
