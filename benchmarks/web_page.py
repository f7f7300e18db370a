"""How long the page of an execution with 25,000 events takes in Chromium: until it is shown, until all is coloured."""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from workers.executions import start_execution
from workers.settings import Settings
from workers.stepfunctions.account import open_account

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.web.browser import FLAGS

ENGINE, PAGE = 8971, 8972
EACH = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}
MACHINE = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 40,
            "ItemProcessor": {"StartAt": "A", "States": EACH},
            "End": True,
        }
    },
}
ROLE = "arn:aws:iam::123456789012:role/states"
ITEMS = 4_150
ROUNDS = 3


async def opened(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds from the click on a link to the page with its picture, and to the last colour."""
    page = await browser.new_page()
    begun = time.perf_counter()
    await page.goto(address, wait_until="commit")
    await page.wait_for_selector(".machine .state")
    shown = time.perf_counter() - begun
    await page.wait_for_selector('.state.succeeded[data-state="Each"]')
    await expect(page.locator("[data-events]")).to_have_text("24,906")
    whole = time.perf_counter() - begun
    await page.close()
    return shown, whole


@contextmanager
def engine() -> Iterator[str]:
    """The embedded engine with its page, in a process of its own; gives the page's URL."""
    command = [sys.executable, "-m", "workers", "local", "--port", str(ENGINE), "--ui", "--ui-port", str(PAGE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        for line in server.stdout:
            if line.startswith("workers local: ready"):
                break
        try:
            yield f"http://127.0.0.1:{PAGE}/ui"
        finally:
            server.terminate()


async def main() -> None:
    """Prints the figures: the first to open an execution has its history read, the second finds it known."""
    settings = Settings(local=True, local_port=ENGINE)
    figures: dict[str, list[float]] = defaultdict(list)
    value = {"items": [{"n": number, "text": "x" * 40} for number in range(ITEMS)]}
    with engine() as url:
        async with open_account(settings) as account, async_playwright() as playwright:
            await account.call("CreateStateMachine", name="large", definition=json.dumps(MACHINE), roleArn=ROLE)
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            for number in range(ROUNDS + 1):
                large = await start_execution("large", value, wait=True, account=account)
                for before in ("", "again: "):
                    shown, coloured = await opened(browser, f"{url}/executions/{large.arn}")
                    if number:  # the first round loads the code
                        figures[f"{before}shown"].append(shown)
                        figures[f"{before}all coloured"].append(coloured)
            await browser.close()
    for name, seconds in figures.items():
        print(f"{name:<22} median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
