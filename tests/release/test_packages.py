"""What is published: the wheel has all that runs, and none of the tests."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from workers.version import __version__

ROOT = Path(__file__).parents[2]
COPYLEFT = ("GPL", "AGPL", "LGPL", "EUPL", "OSL")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel made of it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def names(built: Path) -> list[str]:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.slow
def test_the_wheel_has_all_files_of_the_packages_and_no_others(built: Path):
    packages = [path for package in ("workers", "interceptors") for path in (ROOT / package).rglob("*")]
    wanted = {str(path.relative_to(ROOT)) for path in packages if path.is_file() and path.suffix != ".pyc"}
    found = {name for name in names(built) if ".dist-info/" not in name}
    assert found == wanted
    assert "workers/py.typed" in found


@pytest.mark.slow
def test_the_sdist_has_what_is_built_from_it(built: Path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"workers", "interceptors", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= tops
    assert not {"tests", ".venv", "benchmarks"} & tops


@pytest.mark.slow
def test_the_installed_wheel_runs(built: Path, tmp_path: Path):
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "here", with_pip=True)
    binaries = tmp_path / "here" / "bin"
    install = [str(binaries / "pip"), "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    said = subprocess.run([str(binaries / "workers"), "--version"], check=True, capture_output=True, text=True).stdout
    assert said.strip() == f"workers, version {__version__}"
    missing = subprocess.run([str(binaries / "workers"), "local"], capture_output=True, text=True, check=False)
    assert (missing.returncode, "sfn-workers[local]" in missing.stderr) == (2, True), missing.stderr


def closure(name: str) -> dict[str, Distribution]:
    """A distribution's dependencies, without extras, and theirs."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        one = distribution(waiting.pop())
        if one.name in found:
            continue
        found[one.name] = one
        for text in one.requires or []:
            needed = Requirement(text)
            if not needed.marker or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    del found[name]
    return found


def licence(one: Distribution) -> str:
    """What its metadata say of its licence."""
    data = Parser().parsestr(str(one.read_text("METADATA")))
    classifiers = [text for text in data.get_all("Classifier", []) if text.startswith("License ::")]
    return " ".join([data.get("License-Expression", ""), *classifiers]).strip() or data.get("License", "")


def test_nothing_that_the_core_needs_is_copyleft():
    core = closure("sfn-workers")
    assert {"aiobotocore", "pydantic", "structlog"} <= set(core)
    said = {name: licence(one) for name, one in core.items()}
    assert not [name for name, text in said.items() if not text]
    assert not [name for name, text in said.items() if any(word in text for word in COPYLEFT)]
