"""The wheel, installed where nothing of the repository is: its web page comes with all that it needs."""

import http.cookiejar
import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.account import ROLE
from tests.house.modules import ROOT
from workers.local import LocalStepFunctions

TOKEN = "wheel-wheel-wheel-wheel"
STATIC = ROOT / "workers" / "web" / "static"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `bin/workers`; what it depends on is that of the tests, which holds our code only by a link."""
    here = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("*.whl")
    venv.create(here, with_pip=False)
    python = here / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    packages = next((here / "lib").glob("python*")) / "site-packages"
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return here


@contextmanager
def served(installed: Path, engine: LocalStepFunctions, folder: Path) -> Iterator[str]:
    """The URL of `workers serve`, once it is ready."""
    (folder / "tokens").write_text(f"{TOKEN}\n")
    options = ["--port", "0", "--database", f"sqlite:///{folder}/kept.sqlite", "--role", ROLE, "--log-format", "json"]
    command = [str(installed / "bin" / "workers"), "serve", *options, "--token-file", str(folder / "tokens")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | engine.environment()
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            said = ""
            for line in process.stderr:
                said += line
                if line.startswith("{") and (ready := json.loads(line))["event"] == "workflow manager ready":
                    yield ready["url"]
                    break
            else:
                raise AssertionError(said)
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.mark.slow
def test_the_wheel_serves_the_page_with_its_scripts_and_styles(
    installed: Path, engine: LocalStepFunctions, tmp_path: Path
):
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(url: str, form: dict[str, str] | None = None) -> bytes:
        body = urllib.parse.urlencode(form).encode() if form else None
        with browser.open(url, body, timeout=30) as answer:
            return answer.read()

    with served(installed, engine, tmp_path) as root:
        page = get(f"{root}/ui/login").decode()
        key = re.search(r'name="form_key" value="([0-9a-f]+)"', page)
        assert key
        entered = get(f"{root}/ui/login", {"form_key": key[1], "token": TOKEN, "next": "/workflows"}).decode()
        assert "workflows" in entered
        linked = set(re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page + entered))
        assert {url.partition("?")[0].rpartition(".")[2] for url in linked} >= {"css", "js", "svg"}
        for url in linked:
            name = url.partition("?")[0].rpartition("/static/")[2]
            assert get(urljoin(root, url)) == (STATIC / name).read_bytes()
        for file in STATIC.iterdir():
            assert get(f"{root}/ui/static/{file.name}") == file.read_bytes()


@pytest.mark.slow
def test_nothing_of_the_repository_was_served(installed: Path, tmp_path: Path):
    where = "import workers, workers.web.pages as p; print(workers.__file__, p.__file__, sep='\\n')"
    command = [str(installed / "bin" / "python"), "-c", where]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert all(Path(line).is_relative_to(installed) for line in done.stdout.splitlines())
