"""What is published: the wheel has all that runs, and none of the tests."""

import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.modules import PACKAGES, ROOT
from workers.version import __version__


def wanted() -> set[str]:
    """All files of the packages: code, templates, scripts and styles of the page, marks of types."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*")]
    return {str(path.relative_to(ROOT)) for path in files if path.is_file() and path.suffix != ".pyc"}


def names(built: Path) -> list[str]:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.slow
def test_the_wheel_has_all_files_of_the_packages_and_no_others(built: Path):
    found = {name for name in names(built) if ".dist-info/" not in name}
    assert found == wanted()
    assert "workers/py.typed" in found


@pytest.mark.slow
def test_the_sdist_has_what_is_built_from_it(built: Path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        found = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    papers = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"}
    assert found - {".gitignore"} == wanted() | papers  # hatchling adds what tells it which files are not of the tree


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
