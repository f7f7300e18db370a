"""The release script, in a clone of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workers.version import __version__

ROOT = Path(__file__).parents[2]
NEXT = f"{int(__version__.split('.')[0]) + 1}.0.0"
PARTS = [".ci", "CHANGELOG.md", "deploy", "docs/how-to/deploy.md", "workers/version.py"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with what a release touches."""
    for part in PARTS:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "Somebody")
    git(tmp_path, "config", "user.email", "somebody@example.com")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "All")
    return tmp_path


def git(tree: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True, text=True).stdout.strip()


def release(tree: Path, *arguments: str) -> str:
    """What the script says; empty where it says nothing against it."""
    command = [sys.executable, ".ci/release.py", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False).stderr.strip()


def test_a_version_is_written_everywhere_committed_and_tagged(tree: Path):
    assert release(tree, "prepare", NEXT) == ""
    assert (git(tree, "tag"), git(tree, "status", "--porcelain")) == (f"v{NEXT}", "")
    assert f'"{NEXT}"' in (tree / "workers/version.py").read_text()
    assert re.search(
        rf"## \[Unreleased\]\n\n## \[{NEXT}\] - \d{{4}}-\d\d-\d\d\n\n### ", (tree / "CHANGELOG.md").read_text()
    )
    left = [path for path in tree.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert not [path for path in left if f"workers:{__version__}" in path.read_text(errors="replace")]
    assert release(tree, "check", f"v{NEXT}") == ""


def test_what_is_not_ready_is_not_released(tree: Path):
    assert "is no version" in release(tree, "prepare", "2")
    assert "does not come after" in release(tree, "prepare", "0.0.1")
    assert "the tag is v9.9.9" in release(tree, "check", "v9.9.9")
    (tree / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [0.0.1] - 2026-01-01\n\n- x\n")
    assert "not committed" in release(tree, "prepare", NEXT)
    git(tree, "commit", "--all", "--quiet", "--message", "Nothing new")
    assert "says nothing under Unreleased" in release(tree, "prepare", NEXT)


def test_a_version_is_released_once(tree: Path):
    assert release(tree, "prepare", NEXT) == ""
    assert "does not come after" in release(tree, "prepare", NEXT)
