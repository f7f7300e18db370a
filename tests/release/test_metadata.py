"""What the package says of itself is what is tested: versions of Python, licence, types, changes."""

import re
import tomllib
from importlib.metadata import metadata

import pytest
import yaml

from tests.house.modules import PACKAGES, ROOT
from workers.version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CLASSIFIERS = PROJECT["classifiers"]
CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())


def test_the_versions_of_python_are_those_that_ci_tests():
    said = [one.rpartition(" ")[2] for one in CLASSIFIERS if re.fullmatch(r".* :: 3\.\d+", one)]
    assert said == CI["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={said[0]}"
    assert said == ["3.11", "3.12", "3.13", "3.14"]


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["dynamic"]
    assert metadata("sfn-workers")["Version"] == __version__
    written = [path for path in (ROOT / "workers").rglob("*.py") if f'"{__version__}"' in path.read_text()]
    assert written == [ROOT / "workers" / "version.py"]


def test_no_classifier_is_given_twice_and_the_licence_is_not_among_them():
    assert len(set(CLASSIFIERS)) == len(CLASSIFIERS)
    assert "Typing :: Typed" in CLASSIFIERS
    assert not [one for one in CLASSIFIERS if one.startswith("License ::")], "PEP 639 says it in `license` alone"
    assert PROJECT["license"] == "MIT"
    assert all((ROOT / file).exists() for file in [*PROJECT["license-files"], PROJECT["readme"]])


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_for_others_too(package: str):
    assert (ROOT / package / "py.typed").exists()


EXTRAS = PROJECT["optional-dependencies"]


def with_theirs(extra: str) -> set[str]:
    """An extra, with those that it brings."""
    named = [name for line in EXTRAS[extra] for name in re.findall(r"^sfn-workers\[(.+)\]$", line)]
    return {extra}.union(*(with_theirs(one) for names in named for one in names.split(",")))


def test_every_extra_is_installed_for_the_tests():
    aside = {"bench", "lint", "local-aws", "testing"}  # for makers; what `make test` names; what pytest itself is
    assert EXTRAS.keys() - aside <= with_theirs("test")


def test_the_papers_are_there():
    for paper in ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"):
        assert (ROOT / paper).stat().st_size > 500
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
    threats = (ROOT / "SECURITY.md").read_text()
    for word in ("input", "claims", "callback", "web page", "shares the AWS account", "workflow manager"):
        assert word in threats
