"""The `workers` commands that the pages show are ones that the command line takes."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import click
import pytest

from workers.cli.main import cli

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^(?:```(?:\{\.)?(?:bash|sh)\b[^\n]*|<!-- run)\n(.*?)^(?:```|-->)$", re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """The lines of the page's shell blocks that run `workers`, without redirections and what follows."""
    lines = "".join(re.sub(r"\\\n\s*", "", block) for block in BLOCK.findall(page.read_text())).splitlines()
    return [line for line in lines if line.startswith("workers ")]


LINES = sorted({line for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] for line in commands(page)})


def words(line: str) -> list[str]:
    """The arguments of the command."""
    plain = re.sub(r"\s\d?>+ ?\S+", "", line)
    lexer = shlex.shlex(plain, posix=True, punctuation_chars="|&<")
    lexer.whitespace_split = True
    return list(takewhile(lambda word: not set(word) & set("|&<"), lexer))[1:]


def check(arguments: list[str]) -> None:
    """Fails where the command line does not take them."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        found = command.get_command(context, name)
        assert found, f"there is no `workers {name}`"
        command = found
    if "--help" not in arguments:
        command.make_context(command.name, arguments)


@pytest.mark.parametrize("line", LINES)
def test_the_command_line_takes_what_the_pages_show(line: str):
    check(words(line))


def test_there_are_such_lines():
    assert len(LINES) > 20
