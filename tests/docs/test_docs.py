"""The Python that the pages show runs.

The blocks of a page that begin with ```python are run one after the other, as if they were one program, and so are
comments that begin with <!-- python; `await` may stand outside functions, and AWS is the embedded engine. One that
begins with ```{.python .notest} is only compiled: it is a file, which the page's shell session runs (`test_shell`).
"""

import ast
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.test_shell import FILE
from tests.docs.test_shell import PAGES as SESSIONS
from workers.local import LocalStepFunctions

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(
    r"^(?:```(?:\{\.)?|<!-- )python(?P<words>[^\n]*)\n(?P<code>.*?)^(?:```|-->)$", re.DOTALL | re.MULTILINE
)
PAGES = {str(path.relative_to(DOCS)): path for path in sorted(DOCS.rglob("*.md")) if BLOCK.search(path.read_text())}


@pytest.mark.parametrize("page", PAGES)
async def test_the_python_of_a_page_runs(
    page: str, tmp_path: Path, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    module = ModuleType(f"docs_{PAGES[page].stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where what it defines says that it lives
    text = PAGES[page].read_text()
    for file in FILE.finditer(text):
        (tmp_path / file["name"]).write_text(file["text"])
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start("code"))
        code = compile(
            "\n" * lines_before + block["code"], str(PAGES[page]), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        if ".notest" not in re.split(r"[ }]", block["words"]):
            running = eval(code, vars(module))
            if inspect.iscoroutine(running):
                await running


def test_there_are_pages_with_python():
    assert "reference/handlers.md" in PAGES


def test_what_is_not_run_here_is_a_file_of_a_session():
    left = [
        (page, block["words"])
        for page, path in PAGES.items()
        for block in BLOCK.finditer(path.read_text())
        if ".notest" in block["words"] and not ("file=" in block["words"] and page in SESSIONS)
    ]
    assert left == []


def anchors(page: Path) -> set[str]:
    """The places in a page that a link may lead to."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_between_pages_leads_somewhere(page: Path):
    text = page.read_text()
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", text):
        found = (page.parent / target) if target else page
        assert found.exists(), f"there is no {target}"
        if anchor:
            assert anchor in anchors(found)
