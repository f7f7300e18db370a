"""Executions that are large: many states, many events."""

import re
from itertools import pairwise

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import NARROW, WIDE, Browser, barriers, overflow
from tests.web.execution.endpoint import Endpoint
from tests.web.execution.test_page import state

pytestmark = pytest.mark.slow

READABLE = 9.0
"""Pixels that letters have at least where a picture begins."""


def passes(names: list[str]) -> dict:
    """States one after another that do nothing."""
    states: dict[str, dict] = {name: {"Type": "Pass", "Next": after} for name, after in pairwise(names)}
    return {"StartAt": names[0], "States": {**states, names[-1]: {"Type": "Pass", "End": True}}}


async def letters(page: Page, name: str) -> float:
    """The height of the letters of a state's name, in pixels of the screen."""
    height: float = (
        await state(page, name)
        .locator("text")
        .first.evaluate("text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a")
    )
    return height


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True), ((2560, 1300), False)])
async def test_five_hundred_states_can_be_read_and_found(
    endpoint: Endpoint, browser: Browser, axe: str, size: tuple[int, int], *, dark: bool
) -> None:
    outer, inner = [f"Step {n}" for n in range(400)], [f"Part {n}" for n in range(99)]
    definition = passes([*outer, "Both"])
    definition["States"]["Both"] = {"Type": "Parallel", "Branches": [passes(inner)], "End": True}
    execution = await endpoint.start(definition)
    assert await endpoint.ended(execution) == "SUCCEEDED"
    page = await browser.open(endpoint.page(execution), size=size, dark=dark)
    await expect(page.locator(".state")).to_have_count(401)
    assert await letters(page, "Step 7") >= READABLE
    await page.get_by_label("Find a state").fill("step 321")
    await page.keyboard.press("Enter")
    await expect(state(page, "Step 321").locator("a")).to_be_focused()
    await expect(state(page, "Step 321")).to_be_in_viewport()
    assert await letters(page, "Step 321") >= READABLE
    await page.get_by_label("Show what is inside of Both").dispatch_event("click")
    await expect(page.locator(".state")).to_have_count(500)
    await page.get_by_label("Find a state").fill("Part 98")
    await page.keyboard.press("Enter")
    await expect(state(page, "Part 98", "succeeded")).to_be_in_viewport()
    assert await overflow(page) == 0
    assert await barriers(page, axe) == []


async def test_an_execution_of_25000_events_is_followed_to_its_end(endpoint: Endpoint, browser: Browser) -> None:
    each = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 40,
        "ItemProcessor": passes(["A", "B"]),
        "End": True,
    }
    definition = {"StartAt": "Each", "States": {"Each": each}}
    execution = await endpoint.start(definition, {"items": list(range(4_150))})
    page = await browser.open(endpoint.page(execution))
    await expect(state(page, "Each", "succeeded")).to_be_visible(timeout=60_000)
    await expect(page.locator("[data-events]")).to_have_text("24,906")
    await expect(page.locator("#head .status")).to_have_text("succeeded")
    await expect(state(page, "A").locator(".note")).to_have_text("4,150\N{MULTIPLICATION SIGN}")
    await page.get_by_role("link", name=re.compile("^Events")).click()
    await expect(page.locator("#tab tbody tr")).to_have_count(150)
    await page.get_by_role("link", name="Next").click()
    await expect(page.locator(".pager")).to_contain_text("151 to 300 of 24,906")
    await page.get_by_role("link", name="Map items").click()
    await expect(page.locator(".pager")).to_contain_text("1 to 150 of 4,150")
    await page.locator("#tab tbody a").last.click()
    await expect(page.locator("#panel")).to_contain_text("item 149")
