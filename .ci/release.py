"""Makes a release, in two steps.

    python .ci/release.py prepare 0.2.0    writes the version wherever it stands, and commits and tags it
    python .ci/release.py check v0.2.0     says whether that is what is checked out; the release workflow asks this

`prepare` wants a clean tree, a version above the present one, and something under "Unreleased" in the changelog. It
pushes nothing: `git push --follow-tags` does, and the workflow then builds and publishes.
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path.cwd()
VERSION = ROOT / "workers" / "version.py"
CHANGELOG = ROOT / "CHANGELOG.md"
MENTIONS = ["deploy/Dockerfile", "deploy/example/Dockerfile", "deploy/compose.yaml", "docs/how-to/deploy.md"]
"""Files that name the image of this version."""
UNRELEASED = "## [Unreleased]"


class NotReadyError(Exception):
    """Why there is no release."""


def git(*arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise NotReadyError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def current() -> str:
    """The version in the tree."""
    if not (found := re.search(r'__version__ = "([^"]+)"', VERSION.read_text())):
        raise NotReadyError(f"{VERSION} holds no version")
    return found[1]


def numbers(version: str) -> tuple[int, ...]:
    """A version as it is compared."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise NotReadyError(f"{version!r} is no version: write it as 1.2.3")
    return tuple(map(int, version.split(".")))


def unreleased() -> str:
    """What the changelog says of the coming version."""
    _, found, after = CHANGELOG.read_text().partition(f"{UNRELEASED}\n")
    if not found:
        raise NotReadyError(f"{CHANGELOG.name} has no {UNRELEASED!r}")
    return re.split(r"^## \[", after, maxsplit=1, flags=re.MULTILINE)[0].strip()


def prepare(version: str) -> None:
    """Writes the version, commits and tags it."""
    old = current()
    if git("status", "--porcelain"):
        raise NotReadyError("the tree has changes that are not committed")
    if numbers(version) < numbers(old) or f"## [{version}]" in CHANGELOG.read_text():
        raise NotReadyError(f"{version} does not come after {old}")
    if not unreleased():
        raise NotReadyError("the changelog says nothing under Unreleased")
    VERSION.write_text(VERSION.read_text().replace(f'"{old}"', f'"{version}"'))
    for path in MENTIONS:
        text = (ROOT / path).read_text()
        (ROOT / path).write_text(text.replace(f"workers:{old}", f"workers:{version}"))
    heading = f"## [{version}] - {datetime.now(UTC):%Y-%m-%d}"
    CHANGELOG.write_text(CHANGELOG.read_text().replace(UNRELEASED, f"{UNRELEASED}\n\n{heading}", 1))
    git("add", "--update")
    git("commit", "--message", f"Release {version}")
    git("tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    print(f"v{version} is committed and tagged: git push --follow-tags")  # noqa: T201


def check(tag: str) -> None:
    """Refuses a tag that is not the version of the tree, or that the changelog does not know."""
    version = tag.removeprefix("v")
    numbers(version)
    if current() != version:
        raise NotReadyError(f"the tag is {tag}, and the version in the tree {current()}")
    if f"## [{version}] - " not in CHANGELOG.read_text():
        raise NotReadyError(f"the changelog has no {version}")


def main() -> None:
    """Runs one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["prepare", "check"])
    parser.add_argument("version")
    given = parser.parse_args()
    try:
        {"prepare": prepare, "check": check}[given.step](given.version)
    except NotReadyError as error:
        sys.exit(f"release: {error}")


if __name__ == "__main__":
    main()
