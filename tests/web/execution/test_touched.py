"""Fingers on the picture, and buttons that copy a line."""

from typing import Any

import anyio
import pytest
from playwright.async_api import Page, expect

from tests.account import unique
from tests.web.browser import Browser
from tests.web.execution.endpoint import Endpoint, activity
from tests.web.execution.test_page import state

Point = tuple[float, float]
BOX = '[data-state="P"] .box'


class Fingers:
    """Those of a hand on a page, as a touch screen tells of them."""

    def __init__(self, page: Page, session: Any) -> None:
        self._page = page
        self._session = session

    @classmethod
    async def on(cls, page: Page) -> "Fingers":
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
        return cls(page, session)

    async def move(self, *ways: tuple[Point, Point], steps: int = 6) -> None:
        """Puts one finger on each beginning, and moves all to their ends."""
        await self._tell("touchStart", [start for start, _ in ways])
        for step in range(1, steps + 1):
            await self._tell(
                "touchMove",
                [(x + (to_x - x) * step / steps, y + (to_y - y) * step / steps) for (x, y), (to_x, to_y) in ways],
            )
        await self._tell("touchEnd", [])

    async def _tell(self, kind: str, points: list[Point]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        await self._page.evaluate("() => new Promise(requestAnimationFrame)")  # what is told within a frame becomes one


async def place(page: Page) -> tuple[float, float, float, float]:
    """Where the state is on the screen, and how large."""
    found = await page.locator(BOX).bounding_box()
    assert found
    return found["x"], found["y"], found["width"], found["height"]


async def comes_to(page: Page, *wanted: float) -> None:
    """Waits until the state is there."""
    found: tuple[float, ...] = ()
    with anyio.move_on_after(20):
        while found != pytest.approx(wanted, abs=8):
            await anyio.sleep(0.02)
            found = await place(page)
    assert found == pytest.approx(wanted, abs=8)


async def test_fingers_move_and_zoom_the_picture_and_a_tap_opens_a_step(endpoint: Endpoint, browser: Browser) -> None:
    execution = await endpoint.start({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution), size=(800, 900))
    fingers = await Fingers.on(page)
    x, y, width, height = await place(page)
    left, right = x + width / 2 - 30, x + width / 2 + 30
    middle = y + height / 2

    # Two zoom about the place between them, which stays where it is, and so does the page.
    await fingers.move(((left, middle), (left - 30, middle)), ((right, middle), (right + 30, middle)))
    await comes_to(page, x - width / 2, y - height / 2, 2 * width, 2 * height)
    await fingers.move(((left - 30, middle), (left, middle)), ((right + 30, middle), (right, middle)))
    await comes_to(page, x, y, width, height)
    assert await page.evaluate("[visualViewport.scale, scrollY]") == [1, 0]

    # One moves it, and opens no step by that.
    await fingers.move(((left, middle), (left + 60, middle + 40)))
    await comes_to(page, x + 60, y + 40, width, height)
    await expect(page.locator("#panel-title")).not_to_have_text("P")
    await fingers.move(((left + 60, middle + 40),) * 2, steps=0)
    await expect(page.locator("#panel-title")).to_have_text("P")

    # A touchpad tells of two fingers as the wheel with Ctrl.
    await page.keyboard.down("Control")
    await page.mouse.move(left, middle)
    await page.mouse.wheel(0, -60)
    await page.keyboard.up("Control")
    larger = "([box, width]) => document.querySelector(box).getBoundingClientRect().width > 1.3 * width"
    await page.wait_for_function(larger, arg=[BOX, width])
    assert await page.evaluate("visualViewport.scale") == 1


async def test_a_button_copies_the_line_beside_it(endpoint: Endpoint, browser: Browser) -> None:
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}}, {"order": 7})
    await endpoint.fail(work, "KeyError", "no such order")
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution))
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await state(page, "Work").locator("a").click()
    button = page.get_by_role("button", name="Copy: The workers replay line of this step")
    await button.click()
    await expect(button).to_have_text("Copied")
    line = await page.get_by_label("The workers replay line of this step", exact=True).text_content()
    assert line
    assert line.startswith(f"workers replay {execution}")
    assert await page.evaluate("navigator.clipboard.readText()") == line
    await expect(button).to_have_text("Copy")

    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    await page.evaluate(refuse)
    await button.click()
    await expect(button).to_have_text("Not allowed")
