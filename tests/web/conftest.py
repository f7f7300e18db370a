"""A real browser without a window, and pages on the engine."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.manager.conftest import kept_open
from tests.proxy import SESSION
from tests.web.browser import FLAGS, Browser
from tests.web.execution.endpoint import Endpoint
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.stepfunctions.account import open_account
from workers.web.standing import standing_pages

BUILD = Path(__file__).parents[2] / "build"
AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address at which a Chromium of this session is controlled; tests open windows of their own in it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    profile = tmp_path_factory.mktemp("chromium")
    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        said = next((line for line in process.stderr or () if "DevTools listening on " in line), "")
        if not said:
            pytest.fail(f"{program} did not start")
        yield said.rpartition("listening on ")[2].strip()
        process.terminate()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Windows of a test, which names it after the server that it looks at: pages end before what they ask."""
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(chromium)
        found = Browser(connected)
        yield found
        await found.close()
        assert found.complaints == []


@pytest.fixture
async def endpoint(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Endpoint]:
    """The engine, and pages on it."""
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings(local=True, local_port=engine.port)
    async with open_account(settings, session=SESSION) as account, kept_open(standing_pages(account)) as url:
        yield Endpoint(account, url)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which looks for what keeps people from using a page."""
    source = BUILD / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("there is no npm, which installs axe-core")
        command = [npm, "install", "--prefix", str(BUILD / "axe"), "--no-save", "--ignore-scripts", "--no-audit", AXE]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if ended.returncode:
            pytest.skip(f"npm cannot install axe-core: {ended.stderr[-300:]}")
    return source.read_text(encoding="utf-8")
