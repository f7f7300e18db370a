"""The page of `workers serve`, as a process."""

from pathlib import Path

import aiohttp
import pytest

from tests.account import ROLE
from tests.processes import workers
from tests.web.managed.conftest import Site
from workers.local import LocalStepFunctions

TOKEN = "serve-serve-serve-serve"


@pytest.mark.slow
async def test_the_service_shows_its_page_to_who_has_a_token(engine: LocalStepFunctions, tmp_path: Path):
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    options = ("--port", "0", "--database", f"sqlite:///{tmp_path}/kept.sqlite", "--role", ROLE, "--log-format", "json")
    options += ("--token-file", str(tmp_path / "tokens"), "--worker-health", "http://127.0.0.1:9")
    async with workers("serve", *options, environment=engine.environment()) as process:
        await process.says("workflow manager ready")
        root = next(line["url"] for line in process.said if line["event"] == "workflow manager ready")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            site = Site(root, session)
            assert "Log in" in (await site("/")).words
            page = await site.send("/login", token=TOKEN, next="/workers")
            assert "no answer" in page.words
            async with session.get(f"{root}/workflows", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
                assert await answer.json() == []
