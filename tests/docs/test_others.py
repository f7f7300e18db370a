"""What the pages tell aws, docker, kubectl and pip to do: their files, parameters and extras exist."""

import re
import shlex
import tomllib
from typing import Any

import pytest

from tests.deploy.files import documents
from tests.docs.test_blocks import BLOCK, PAGES, ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].keys()


def lines(program: str) -> list[list[str]]:
    """The words of every line of a shell block that runs the program."""
    text = "\n".join(
        found["text"].replace("\\\n", " ")
        for page in PAGES
        for found in BLOCK.finditer(page.read_text())
        if found["language"] in {"bash", "sh"}
    )
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith(f"{program} ")]


def after(words: list[str], flag: str) -> list[str]:
    """What follows each time that a flag is given, up to the next flag."""
    found: list[str] = []
    taking = False
    for word in words:
        if word.startswith("--"):
            taking = word == flag
        elif taking:
            found.append(word)
    return found


STACKS = [words for words in lines("aws") if words[1:3] == ["cloudformation", "deploy"]]


@pytest.mark.parametrize("words", STACKS, ids=[after(words, "--template-file")[0] for words in STACKS])
def test_stacks_are_given_the_parameters_that_they_have_and_need(words: list[str]):
    (template,) = after(words, "--template-file")
    parameters: dict[str, Any] = documents(template.removeprefix("deploy/"))[0]["Parameters"]
    given = [pair.partition("=")[0] for pair in after(words, "--parameter-overrides")]
    assert {name for name, one in parameters.items() if "Default" not in one} <= set(given) <= parameters.keys()


@pytest.mark.parametrize("program", ["docker", "kubectl"])
def test_files_that_others_read_are_there(program: str):
    named = [name for words in lines(program) for name in after(words, "--filename") + after(words, "--file")]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_images_are_built_of_folders_with_a_dockerfile():
    builds = [words for words in lines("docker") if words[1] == "build"]
    assert len(builds) >= 3
    for words in builds:
        (file,) = after(words, "--file") or [f"{words[-1]}/Dockerfile"]
        assert (ROOT / words[-1]).is_dir()
        assert (ROOT / file).is_file()


def test_extras_that_are_installed_are_those_of_the_package():
    asked = [
        found for words in lines("pip") for word in words for found in re.findall(r"(?:sfn-workers|\.)\[(.+)\]", word)
    ]
    assert len(asked) >= 3
    assert {extra for one in asked for extra in one.split(",")} <= EXTRAS
