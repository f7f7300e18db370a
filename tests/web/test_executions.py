"""Lists of executions where no manager keeps workflows: `workers local --ui` and `workers dev --ui`."""

import re

import aiohttp
import anyio
import pytest

from tests.account import unique
from tests.web.browser import NARROW, WIDE, Browser, barriers, overflow
from tests.web.execution.endpoint import Endpoint
from workers.web.lists import raw

FAILS = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "<img src=x>"}}}
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}


async def opened(endpoint: Endpoint, path: str, status: int = 200) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{endpoint.url}{path}") as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text


def machine_of(execution: str) -> str:
    return execution.split(":")[6]


async def test_the_overview_begins_with_what_failed(endpoint: Endpoint):
    failed, waits = await endpoint.start(FAILS), await endpoint.start(WAITS)
    assert await endpoint.ended(failed) == "FAILED"
    text = await opened(endpoint, "/")
    bad, _, rest = text.partition('id="going"')
    assert f"e-{failed}" in bad
    assert f"e-{waits}" in rest
    assert f'aria-label="{machine_of(failed)}, the last 24 hours: 1 started, 1 of them failed"' in rest
    assert "Workflows" not in text
    for path in ("/workflows", "/definitions", "/changes/workflows"):
        assert "workers serve" in await opened(endpoint, path, 404)
    await endpoint.account.call("StopExecution", executionArn=waits)


async def test_a_list_of_one_machine_goes_on_on_the_next_page(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.web.lists.unmanaged.PAGE", 2)
    name = unique("old")
    first = await endpoint.start(FAILS, name=name)
    machine = machine_of(first)
    for _ in range(3):
        arn = endpoint.account.state_machine(machine)
        await endpoint.account.call("StartExecution", stateMachineArn=arn, input="{}")
    seen, address = 0, f"/executions?machine={machine}"
    while address:
        text = await opened(endpoint, address)
        seen += text.count(f'id="e-{first.rpartition(":")[0]}')
        following = re.search(r'rel="next" href="([^"]+)"', text)
        address = f"/executions{following[1].replace('&amp;', '&')}" if following else ""
    assert seen == 4
    text = await opened(endpoint, f"/executions?machine={machine}&text={name[2:]}")
    assert f"e-{first}" in text
    assert "names of the newest 5,000 executions of this state machine" in text
    assert "There are no such executions" in await opened(endpoint, f"/executions?machine={machine}&status=RUNNING")
    assert "there is no LOST" in await opened(endpoint, "/executions?status=LOST")
    assert "StateMachineDoesNotExist" in await opened(endpoint, "/executions?machine=nobody", 404)
    assert "is not known any more" in await opened(endpoint, f"/executions?machine={machine}&page=nonsense")


async def test_of_many_machines_one_is_chosen(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    await endpoint.start(FAILS)
    monkeypatch.setattr(raw, "MOST_MACHINES", 0)
    monkeypatch.setattr("workers.web.lists.unmanaged.MOST_MACHINES", 0)
    assert "choose one" in await opened(endpoint, "/executions")


async def test_a_list_tells_when_an_execution_of_it_changes(endpoint: Endpoint):
    execution = await endpoint.start(WAITS)
    url = f"{endpoint.url}/changes/executions?list=1&machine={machine_of(execution)}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        seen = [(await answer.content.readuntil(b"\n\n")).decode() for _ in range(2)]
        assert "event: changed" not in "".join(seen)
        await endpoint.account.call("StopExecution", executionArn=execution)
        with anyio.fail_after(20):
            while "event: changed" not in (await answer.content.readuntil(b"\n\n")).decode():
                pass


async def test_executions_are_found_and_fit_on_a_narrow_screen(endpoint: Endpoint, browser: Browser):
    failed = await endpoint.start(FAILS)
    assert await endpoint.ended(failed) == "FAILED"
    page = await browser.open(f"{endpoint.url}/", size=NARROW)
    assert await overflow(page) == 0
    await page.get_by_role("link", name="Executions", exact=True).click()
    await page.get_by_label("State machine").select_option(machine_of(failed))
    await page.get_by_label("Search").fill(failed.rpartition(":")[2])
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name=failed.rpartition(":")[2]).click()
    await page.wait_for_url(f"**/executions/{failed}")
    await page.get_by_role("link", name="Redrive").click()
    await page.get_by_role("button", name="Redrive").click()
    await page.wait_for_url(f"**/executions/{failed}")
    await page.close()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
async def test_pages_without_a_manager_fit_and_have_no_barriers(
    endpoint: Endpoint, browser: Browser, axe: str, size: tuple[int, int], *, dark: bool
):
    failed, waits = await endpoint.start(FAILS), await endpoint.start(WAITS)
    assert await endpoint.ended(failed) == "FAILED"
    machine = machine_of(failed)
    page = await browser.open(f"{endpoint.url}/", size=size, dark=dark)
    for path in (
        "/",
        f"/executions?machine={machine}&text=execution",
        "/machines",
        f"/machines/{machine}",
        f"/machines/{machine}/start",
        f"/executions/commands/of/{failed}",
        f"/executions/redrive/of/{failed}",
        f"/executions/stop/of/{waits}",
        "/workers",
    ):
        await page.goto(f"{endpoint.url}{path}")
        assert await overflow(page) == 0, path
        assert await barriers(page, axe) == [], path
    await endpoint.account.call("StopExecution", executionArn=waits)
