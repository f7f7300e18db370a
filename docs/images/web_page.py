"""Takes the pictures of the web page with Chromium, of a shop at work: `python docs/images/web_page.py [FOLDER]`."""

import asyncio
import linecache
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

from playwright.async_api import Browser, async_playwright

from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.stepfunctions.account import open_account
from workers.web.standing import standing_pages

HERE = Path(__file__).parent
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = (1360, 900), (360, 740)
SETTLES = 700
"""Milliseconds that a page gets to follow its stream."""


def shop() -> ModuleType:
    """The shop, as a module that lies where one would have it: tracebacks in the pictures name its file."""
    name, text = "/app/handlers.py", (HERE / "shop.py").read_text(encoding="utf-8")
    module = ModuleType("handlers")
    sys.modules["handlers"] = module
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - the file beside this one
    return module


async def shot(browser: Browser, url: str, file: Path, *, narrow: bool = False, dark: bool = False) -> None:
    """A picture of a page when it has settled."""
    width, height = NARROW if narrow else WIDE
    scheme = "dark" if dark else "light"
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB")
    await page.goto(url)
    await page.wait_for_timeout(SETTLES)
    await page.screenshot(path=file, full_page=narrow)
    await page.close()


async def main(folder: Path) -> None:
    """Plays the shop, and takes the pictures."""
    handlers = shop()
    async with LocalStepFunctions(poll_hold=0.5) as local:
        os.environ.update(local.environment())
        settings = Settings(local=True, local_port=local.port, worker_name="shop-1")
        async with (
            open_account(settings) as account,
            standing_pages(account) as url,
            handlers.open_shop(account) as executions,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            failed, running = (f"{url}/executions/{executions[name]}" for name in ("order-2042", handlers.RUNS_ON))
            await shot(browser, f"{failed}?state=Reserve", folder / "web-failed.png")
            await shot(browser, f"{running}?tab=items", folder / "web-running.png", dark=True)
            await shot(browser, f"{failed}?state=Reserve", folder / "web-narrow.png", narrow=True)
            await shot(browser, f"{url}/", folder / "web-start.png")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
