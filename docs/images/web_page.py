"""Takes the pictures of the web page with Chromium, of a shop at work and of what the tutorial lets fail.

python docs/images/web_page.py [FOLDER]
"""

import asyncio
import json
import linecache
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType

import yaml
from playwright.async_api import Browser, async_playwright

from workers import Worker
from workers.executions import start_execution, wait_for_execution
from workers.local import LocalStepFunctions
from workers.machines import ensure_state_machine
from workers.manager.api.app import make_app
from workers.manager.api.guard import Tokens
from workers.manager.manager import open_manager
from workers.manager.requests import NewWorkflowDefinition
from workers.manager.serving import serving
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account
from workers.web.beside import pages_beside
from workers.web.standing import standing_pages

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.web.browser import FLAGS, NARROW

HERE = Path(__file__).parent
TUTORIAL = (HERE.parent / "tutorial" / "first-workflow.md").read_text(encoding="utf-8")
WIDE = (1360, 900)
SETTLES = 700
"""Milliseconds that a page gets to follow its stream."""
OVERVIEW = 1_500
"""Milliseconds in which the overview has read on."""


def handlers_in(name: str, text: str) -> ModuleType:
    """A module that lies where one would have it: tracebacks in the pictures name its file."""
    module = ModuleType("handlers")
    sys.modules["handlers"] = module
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - files of this project
    return module


async def parcel_of_bob(account: Account, role: str) -> str:
    """The ARN of the tutorial's execution that fails."""
    files = dict(re.findall(r"^```\{[^\n]* file=([^\s}]+)\}\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE))
    (given,) = re.findall(r"start parcel '(.+)' --name bob ", TUTORIAL)
    handlers = handlers_in("/home/ada/handlers.py", files["handlers.py"])
    await ensure_state_machine("parcel", yaml.safe_load(files["parcel.yaml"]), role=role, account=account)
    async with Worker(handlers.registry, account.settings.model_copy(update={"grace": 0.0})):
        started = await start_execution("parcel", json.loads(given), name="bob", account=account)
        return (await wait_for_execution(started, account=account)).arn


async def shot(
    browser: Browser, url: str, file: Path, *, narrow: bool = False, dark: bool = False, settles: int = SETTLES
) -> None:
    """A picture of a page when it has settled."""
    width, height = NARROW if narrow else WIDE
    scheme = "dark" if dark else "light"
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB")
    await page.goto(url)
    await page.wait_for_timeout(settles)
    await page.screenshot(path=file, full_page=narrow)
    await page.close()


@asynccontextmanager
async def managed(account: Account, handlers: ModuleType) -> AsyncIterator[tuple[str, str]]:
    """The page of a manager that has the shop's orders as workflows: its URL, and the id of one that failed."""
    machine = yaml.safe_load(handlers.FULFIL)
    async with AsyncExitStack() as stack:
        manager = await stack.enter_async_context(open_manager("sqlite://", account, role=handlers.ROLE))
        app, stopping = pages_beside(make_app(manager), manager, tokens=Tokens())
        url = await stack.enter_async_context(serving(app, stopping=stopping))
        await manager.create_definition(NewWorkflowDefinition(name="fulfil", state_machine=machine))
        machine["states"]["Check fraud"]["retry"][0]["max_attempts"] = 6
        machine["states"]["Wait for courier"]["seconds"] = 1
        await manager.update_definition(NewWorkflowDefinition(name="fulfil", state_machine=machine))
        started = {
            name: await manager.start_workflow("fulfil", value, tags={"order": name})
            for name, value in handlers.ORDERS.items()
        }
        for name, workflow in started.items():
            while name != handlers.RUNS_ON:
                if (await manager.workflow(workflow.id)).status.terminal:
                    break
                await asyncio.sleep(0.2)
        yield f"{url}/ui", started["order-2042"].id


async def main(folder: Path) -> None:
    """Plays the shop and the tutorial, and takes the pictures."""
    handlers = handlers_in("/app/handlers.py", (HERE / "shop.py").read_text(encoding="utf-8"))
    async with LocalStepFunctions(poll_hold=0.5) as local:
        os.environ.update(local.environment())
        settings = Settings(local=True, local_port=local.port, worker_name="shop-1")
        async with (
            open_account(settings) as account,
            standing_pages(account) as url,
            handlers.open_shop(account) as executions,
            managed(account, handlers) as (manager, broken),
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            failed, running = (f"{url}/executions/{executions[name]}" for name in ("order-2042", handlers.RUNS_ON))
            await shot(browser, f"{failed}?state=Reserve", folder / "web-failed.png")
            bob = await parcel_of_bob(account, handlers.ROLE)
            await shot(browser, f"{url}/executions/{bob}?state=Weigh", folder / "web-parcel.png")
            await shot(browser, f"{running}?tab=items", folder / "web-running.png", dark=True)
            await shot(browser, f"{failed}?state=Reserve", folder / "web-narrow.png", narrow=True)
            await shot(browser, f"{manager}/", folder / "web-overview.png", settles=OVERVIEW)
            await shot(browser, f"{manager}/workflows/{broken}", folder / "web-workflow.png")
            difference = f"{manager}/definitions/fulfil?version=1&against=0"
            await shot(browser, difference, folder / "web-definition.png", dark=True)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
