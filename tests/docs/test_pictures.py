"""The pictures of the pages: those that a run draws are what a run draws today, and each is made by something."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_blocks import PAGES, ROOT

IMAGES = ROOT / "docs" / "images"


@pytest.mark.slow
def test_the_picture_of_a_failure_and_its_redrive_is_that_of_a_run(tmp_path: Path):
    command = [sys.executable, str(IMAGES / "redrive.py"), str(tmp_path / "redrive.svg")]
    subprocess.run(command, check=True, timeout=120)
    assert (tmp_path / "redrive.svg").read_text() == (IMAGES / "redrive.svg").read_text(), "run `make image`"


def test_the_files_of_that_picture_are_found_in_the_page():
    names = [name for name, _ in runpy.run_path(str(IMAGES / "redrive.py"))["FILES"]]
    assert names == ["handlers.py", "orders.yaml"]


def test_every_picture_is_shown_and_is_made_by_something():
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+\.(?:png|svg))", page.read_text())}
    assert shown == {path.name for path in IMAGES.iterdir() if path.suffix in {".png", ".svg"}}
    sources = [path.read_text() for path in [*IMAGES.glob("*.py"), *ROOT.glob("benchmarks/**/*.py"), *PAGES]]
    made = {name for name in shown if any(f'"{name}"' in text or f"-o {name}" in text for text in sources)}
    assert shown - made == {f"{path.stem}.svg" for path in (IMAGES / "demo.py", IMAGES / "redrive.py")}
