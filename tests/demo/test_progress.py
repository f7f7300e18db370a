"""How far the demo is, on a terminal and elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect

_ROOT = Path(__file__).parents[2]
PROGRAM = """
from rich.console import Console
from workers.demo.progress import progress

with progress(Console(), 8) as counted:
    for name in "abcdefgh":
        counted(f"package-{name}")
"""
COMMAND = ["-c", PROGRAM]


def test_a_terminal_shows_a_bar() -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = pexpect.spawn(
        sys.executable, COMMAND, cwd=_ROOT, env=environment, encoding="utf-8", timeout=40, dimensions=(50, 100)
    )
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    shown = process.before
    assert "\x1b[" in shown
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).strip().splitlines()[-1]
    assert re.match(r"Counting ━+ 8/8 ", last), shown
    assert "counted" not in shown


def test_elsewhere_a_few_lines_say_it() -> None:
    ended = subprocess.run([sys.executable, *COMMAND], cwd=_ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == [
        f"counted {done} of 8 packages, package-{name} the latest"
        for done, name in ((2, "b"), (4, "d"), (6, "f"), (8, "h"))
    ]
