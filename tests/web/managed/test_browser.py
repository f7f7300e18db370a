"""What people do with workflows, in a browser."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.account import unique
from tests.manager.conftest import activities, defined, ended
from tests.web.browser import NARROW, PATIENCE, WIDE, Browser, barriers, overflow
from tests.web.managed.conftest import XSS, Site, visiting
from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.manager.model import Query, Workflow
from workers.manager.requests import NewWorkflowDefinition
from workers.stepfunctions.account import Account

expect.set_options(timeout=PATIENCE)
TRACE = {
    "errorType": "KeyError",
    "errorMessage": f"no parcel {XSS}",
    "stackTrace": ["Traceback (most recent call last):", f'  File "{XSS}", line 7, in weigh', "KeyError: parcel"],
}


def steps(*names: str) -> dict[str, Any]:
    """A machine of tasks, one after another; the activities are called as the states."""
    task = {"Type": "Task", "TimeoutSeconds": 60, "HeartbeatSeconds": 30}
    states = {
        name: {**task, "Resource": name, **({"Next": after} if after else {"End": True})}
        for name, after in zip(names, [*names[1:], None], strict=True)
    }
    return {"StartAt": names[0], "States": states}


async def take(here: Account, activity: str) -> str:
    while True:
        task = await here.call("GetActivityTask", activityArn=here.activity(activity), workerName="tester")
        if token := task.get("taskToken"):
            return str(token)


async def newest(manager: LocalManager, definition: str) -> Workflow:
    page = await manager.workflows(Query(workflow_definition_name=definition, limit=1))
    return await manager.workflow(page.items[0].id)


async def started(page: Page, site: Site, definition: str, value: Any) -> None:
    """Starts a workflow by the form."""
    await page.goto(f"{site.root}/ui/definitions/{definition}")
    await page.get_by_role("link", name="Start a workflow").click()
    await page.get_by_label("Input").fill(json.dumps(value))
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator("header .status.running")).to_be_visible()


async def test_a_workflow_is_started_watched_resumed_and_resolved(
    site: Site, browser: Browser, manager: LocalManager, here: Account
):
    weigh, pack = unique("weigh"), unique("pack")
    await activities(here, weigh, pack)
    definition = await defined(manager, steps(weigh, pack))
    page = await browser.open(f"{site.root}/ui/")

    await started(page, site, definition.name, {"parcel": 1})
    for name in (weigh, pack):
        await here.call("SendTaskSuccess", taskToken=await take(here, name), output='{"fine": true}')
    await expect(page.locator("header .status.succeeded")).to_be_visible()  # by itself: it is live
    await expect(page.locator("pre[aria-label=Output]")).to_contain_text('"fine": true')

    await started(page, site, definition.name, {"parcel": 2})
    failed = await newest(manager, definition.name)
    await here.call("SendTaskSuccess", taskToken=await take(here, weigh), output='{"grams": 5}')
    token = await take(here, pack)
    await here.call("SendTaskFailure", taskToken=token, error="KeyError", cause=json.dumps(TRACE))
    await expect(page.locator("header .status.failed")).to_be_visible()
    await expect(page.get_by_label("Traceback")).to_contain_text(f'File "{XSS}", line 7, in weigh')
    await expect(page.locator("pre[aria-label^='The workers replay line']")).to_contain_text(f"--state {pack}")

    await page.get_by_role("link", name="Graph, steps and times").click()
    await expect(page.locator(f'.state.failed[data-state="{pack}"]')).to_be_visible()
    await page.get_by_role("link", name="Workflow", exact=True).click()

    await page.get_by_role("link", name="Resume from a state").click()
    assert await page.get_by_label("State").input_value() == pack
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("header .status.running")).to_be_visible()
    await here.call("SendTaskSuccess", taskToken=await take(here, pack), output="{}")
    await expect(page.locator("header .status.succeeded")).to_be_visible()

    await page.get_by_role("link", name=failed.id).click()
    await page.get_by_role("link", name="Resolve", exact=True).click()
    await page.get_by_role("button", name="Resolve").click()
    await expect(page.get_by_text("resolved", exact=True)).to_be_visible()
    assert (await manager.workflow(failed.id)).resolved_by_user


async def test_a_list_follows_what_happens_and_keeps_the_focus(
    site: Site, browser: Browser, manager: LocalManager, here: Account
):
    name = unique("step")
    await activities(here, name)
    definition = await defined(manager, steps(name))
    first = await manager.start_workflow(definition.name)
    page = await browser.open(f"{site.root}/ui/workflows?definition={definition.name}")
    await page.get_by_role("link", name=first.id).focus()
    second = await manager.start_workflow(definition.name)
    await expect(page.locator(f"#w-{second.id}")).to_be_visible()
    await expect(page.get_by_role("link", name=first.id)).to_be_focused()
    await here.call("SendTaskSuccess", taskToken=await take(here, name), output="{}")
    await expect(page.locator(f"#w-{first.id} .status")).to_have_text("succeeded")
    await page.get_by_role("button", name="Live").click()
    await expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    await manager.cancel_workflow(second.id, "the test is over")


async def test_one_logs_in_and_works_by_keyboard_alone(manager: LocalManager, browser: Browser):
    definition = await defined(manager, {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    async with visiting(manager, tokens=Tokens(["t" * 20])) as site:
        page = await browser.open(f"{site.root}/ui/definitions/{definition.name}/start")
        await page.keyboard.type("t" * 20)  # the field has the focus
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/start")
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to the content")).to_be_focused()
        await page.get_by_label("Input").focus()
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("{")
        await expect(page.get_by_label("Input")).to_have_attribute("aria-invalid", "true")
        await page.keyboard.type("}")
        for _ in range(5):  # version, queue, namespace, tags, Start
            await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("header .status.succeeded")).to_be_visible()
        await page.close()


async def furnished(manager: LocalManager, here: Account) -> list[str]:
    """Workflows and definitions with hostile names; returns the paths of the main pages."""
    name, hostile = unique("step"), f"parcel {XSS.replace('/', '')}"
    await activities(here, name)
    machine = steps(name)
    machine["States"][name]["Comment"] = XSS
    for title in (hostile, "parcel"):
        await defined(manager, machine, name=title)
        await manager.update_definition(NewWorkflowDefinition(name=title, state_machine={**machine, "Comment": XSS}))
        for text in (XSS, "plain"):
            await manager.start_workflow(title, {"text": text}, tags={"customer": text}, queue="q")
    token = await take(here, name)
    await here.call("SendTaskFailure", taskToken=token, error=XSS[:200], cause=json.dumps(TRACE))
    failed = await ended(manager, (await manager.workflows(Query(oldest_first=True, limit=1))).items[0].id)
    return [
        "/",
        "/workflows",
        f"/workflows/{failed.id}",
        f"/workflows/{failed.id}/resume",
        "/executions",
        "/definitions",
        "/definitions/parcel?version=1&against=0",
        "/definitions/parcel/start",
        "/machines",
        "/workers",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
async def test_pages_fit_have_no_barriers_and_run_nothing_hostile(
    site: Site, browser: Browser, manager: LocalManager, here: Account, axe: str, size: tuple[int, int], dark: bool
):
    paths = await furnished(manager, here)
    page = await browser.open(f"{site.root}/ui/", size=size, dark=dark)
    for path in paths:
        await page.goto(f"{site.root}/ui{path}")
        assert await overflow(page) == 0, path
        assert await page.locator("img[src='x']").count() == 0, path
        assert await barriers(page, axe) == [], path


@pytest.mark.slow
async def test_the_login_has_no_barriers(manager: LocalManager, browser: Browser, axe: str):
    async with visiting(manager, tokens=Tokens(["t" * 20])) as site:
        for size, dark in ((NARROW, False), (WIDE, True)):
            page = await browser.open(f"{site.root}/ui/", size=size, dark=dark)
            assert await barriers(page, axe) == []
            assert await overflow(page) == 0
