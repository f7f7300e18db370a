"""The tables about scale are what the simulation prints, whose pieces can be reckoned by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "scale.py"
PAGE = (ROOT / "docs" / "explanation" / "scale.md").read_text()


@pytest.mark.parametrize("options", [[], ["--handler", "300"]])
def test_the_page_shows_what_is_printed(options: list[str]):
    done = subprocess.run([sys.executable, str(SCRIPT), *options], check=True, capture_output=True, text=True)
    assert done.stdout.strip() in PAGE


def test_the_first_row_by_hand():
    # 1,000 tasks a minute of 10 s are 167 at a time, five workers of 35 busy slots; their 25 idle polls a minute.
    assert "| 1,000 | 5 | 17 | 0 | 17 | 0% | 0% | 1 or 1 |" in PAGE
    # 30,000 a minute of 300 s are 150,000 at a time, each beating every 15 s.
    assert "| 30,000 | 4,286 | 857 | 10,000 | 500 |" in PAGE
