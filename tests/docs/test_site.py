"""The pages become a site, without a warning and with nothing left out; a link that leads nowhere is one."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

ROOT = Path(__file__).parents[2]


def listed(entry: Any) -> set[str]:
    """The pages in a part of the navigation."""
    if isinstance(entry, str):
        return {entry}
    return set().union(*map(listed, entry.values() if isinstance(entry, dict) else entry))


def test_every_page_is_in_the_navigation():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert listed(settings["nav"]) == pages


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class Linked(HTMLParser):
    """What a page of the site leads to, and the places in it that others may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.targets |= {value for name in ("href", "src") if (value := found.get(name))}
        self.places |= {value for name in ("id", "name") if (value := found.get(name))}


def lost(site: Path) -> list[tuple[str, str]]:
    """Every link, picture, script and style of the site that is not there: the page, and where it leads."""
    pages = {path: Linked(path) for path in site.rglob("*.html") if path.name != "404.html"}
    found = []
    for page, linked in pages.items():
        for target in linked.targets:
            if urlsplit(target).scheme or target.startswith("//"):
                continue
            file, _, place = unquote(target).partition("#")
            leads = (page.parent / file.partition("?")[0]).resolve() if file else page
            leads = leads / "index.html" if leads.is_dir() else leads
            if not leads.exists() or (place and place not in pages[leads].places):
                found.append((str(page.relative_to(site)), target))
    return found


def test_the_site_is_built_without_a_warning_and_is_whole(tmp_path: Path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    done = build(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "build" / "site"
    built = {str(path.relative_to(site).with_suffix(".md")) for path in site.rglob("*.html")} - {"404.md"}
    assert built == {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert "https://fonts" not in (site / "index.html").read_text()
    assert lost(site) == []
    (site / "images" / "web-failed.png").unlink()
    assert lost(site)


def test_pages_that_lead_nowhere_are_not_built(tmp_path: Path):
    """So that the good build above means something."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[part](other.md#part)\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## Part\n\nof the whole\n")
    settings = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[0]
    (tmp_path / "mkdocs.yml").write_text(f"{settings}\nnav: [index.md, other.md]\n")
    assert build(tmp_path).returncode == 0

    wrong = ("nowhere.md", "other.md#elsewhere", "/absolute.md")
    links = "\n\n".join(f"[more]({target})" for target in wrong)
    (tmp_path / "docs" / "other.md").write_text(f"# Other\n\n## Part\n\n{links}\n")
    done = build(tmp_path)
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
    assert done.returncode != 0
    assert all(target in said for target in wrong), said
