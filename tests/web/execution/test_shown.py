"""What the page of an execution shows of less usual things, in a browser."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.account import unique
from tests.manager.conftest import kept_open
from tests.web.browser import Browser, overflow
from tests.web.execution.endpoint import Endpoint, activity
from tests.web.execution.test_page import state
from workers.payloads import Payloads
from workers.web.standing import standing_pages

PASS = {"Type": "Pass", "End": True}


async def test_items_of_a_distributed_map_are_executions_with_pages_of_their_own(
    endpoint: Endpoint, browser: Browser
) -> None:
    look = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Break"}], "Default": "Fine"}
    states = {"Look": look, "Break": {"Type": "Fail", "Error": "Odd", "Cause": "two"}, "Fine": PASS}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Look"}
    each = {"Type": "Map", "ItemsPath": "$.items", "ToleratedFailureCount": 1, "End": True}
    each["ItemProcessor"] = processor | {"States": states}
    execution = await endpoint.start({"StartAt": "Each", "States": {"Each": each}}, {"items": [0, 1, 2, 3]})
    assert await endpoint.ended(execution) == "SUCCEEDED"
    page = await browser.open(endpoint.page(execution, "?state=Each&tab=items"))
    await expect(page.locator(".state")).to_have_count(1)
    await expect(page.get_by_label("Show what is inside of Each")).to_be_visible()
    await expect(page.locator("#panel .facts")).to_contain_text("in executions of their own")
    rows = page.locator("#tab tbody tr")
    await expect(rows).to_have_count(4)
    await expect(rows.first).to_contain_text("failed")
    await expect(page.locator("#tab .summary")).to_contain_text("failed 1 succeeded 3")
    await rows.first.get_by_role("link").click()
    await expect(state(page, "Break", "failed")).to_be_visible()
    await expect(page.locator("#panel .error-name")).to_have_text("Odd")


async def test_an_offloaded_payload_is_loaded_on_request(endpoint: Endpoint, browser: Browser, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/payloads"
    async with Payloads(store) as payloads:
        claim = await payloads.offload({"text": "<b>large</b>" * 100}, always=True)
    endpoint.account.settings = endpoint.account.settings.model_copy(update={"payloads": store})
    execution = await endpoint.start({"StartAt": "P", "States": {"P": PASS}}, {"parcel": claim})
    await endpoint.ended(execution)
    async with kept_open(standing_pages(endpoint.account)) as url:
        page = await browser.open(f"{url}/executions/{execution}?state=P")
        shown = page.locator("#panel .claim").first
        await expect(shown).to_contain_text("Offloaded payload at $.parcel")
        await expect(page.get_by_text("<b>large</b>")).to_have_count(0)
        await shown.get_by_role("link", name="Load").click()
        await expect(shown.locator("pre")).to_contain_text("<b>large</b>")
        await page.close()


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_outcomes_differ_in_colour_shape_and_word(endpoint: Endpoint, browser: Browser, *, dark: bool) -> None:
    flaky, slow = unique("flaky"), unique("slow")
    retry = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Wait"}], "Next": "Never"}
    states = {
        "First": {"Type": "Pass", "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Flaky", "States": {"Flaky": activity(flaky, Retry=retry, End=True)}},
                {"StartAt": "Slow", "States": {"Slow": activity(slow, End=True)}},
            ],
            **caught,
        },
        "Wait": {"Type": "Wait", "Seconds": 600, "End": True},
        "Never": PASS,
    }
    execution = await endpoint.start({"StartAt": "First", "States": states})
    page = await browser.open(endpoint.page(execution), dark=dark)
    await endpoint.take(slow)
    await expect(state(page, "Slow", "running")).to_be_visible()
    await endpoint.fail(flaky, "Flaky", "not now")
    await endpoint.fail(flaky, "Broken", "not ever")
    words = {"First": "succeeded", "Both": "caught", "Flaky": "failed", "Slow": "aborted"}
    words |= {"Wait": "waiting", "Never": "not-taken"}
    looks = set()
    for name, word in words.items():
        await expect(state(page, name, word)).to_be_attached()
        sign = state(page, name).locator("> a > .sign")
        assert await sign.get_attribute("href") == f"#i-{word}"
        symbol = await page.locator(f"#i-{word}").inner_html()
        looks.add((symbol, await sign.evaluate("sign => getComputedStyle(sign).color")))
        assert word.replace("-", " ") in (
            await state(page, name).locator("> a").first.get_attribute("aria-label") or ""
        )
    assert len({symbol for symbol, _ in looks}) == len({colour for _, colour in looks}) == len(words)
    row = page.get_by_role("row", name="Flaky")
    await expect(row).to_contain_text("2 tries")
    assert await row.locator("rect.failed:not(.whole)").count() == 2
    await endpoint.account.call("StopExecution", executionArn=execution)


async def test_a_picture_is_moved_and_zoomed_by_pointer_and_keys(endpoint: Endpoint, browser: Browser) -> None:
    execution = await endpoint.start({"StartAt": "P", "States": {"P": PASS}})
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution), size=(2560, 1300))
    assert await overflow(page) == 0
    box = await page.locator(".view").bounding_box()
    assert box

    async def place() -> tuple[float, float, float]:
        found = await state(page, "P").locator(".name").bounding_box()
        assert found
        return found["x"], found["y"], found["width"]

    begun = await place()
    await page.mouse.move(box["x"] + 20, box["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 120, box["y"] + 70, steps=5)
    await page.mouse.up()
    assert await place() == pytest.approx((begun[0] + 100, begun[1] + 50, begun[2]), abs=2)
    await page.get_by_role("button", name="Larger").click()
    assert (await place())[2] == pytest.approx(begun[2] * 1.25, rel=0.02)
    await state(page, "P").locator("a").focus()
    await page.keyboard.press("0")
    assert await place() == pytest.approx(begun, abs=2)
    await page.keyboard.press("-")
    await page.keyboard.press("ArrowLeft")
    x, _, width = await place()
    assert width == pytest.approx(begun[2] / 1.25, rel=0.02)
    assert x > begun[0]
