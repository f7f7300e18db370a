"""The page of one execution, in a browser."""

import json

import pytest
from playwright.async_api import Page, expect

from tests.account import unique
from tests.web.browser import NARROW, Browser, barriers, overflow
from tests.web.execution.endpoint import Endpoint, activity

TRACE = {
    "errorType": "KeyError",
    "errorMessage": "'desk-lamp'",
    "stackTrace": ["Traceback (most recent call last):", '  File "handlers.py", line 7, in reserve', "KeyError"],
}


def chain(*, first: str, second: str) -> dict:
    """Two steps, the second of them with a catcher that nothing comes to."""
    return {
        "StartAt": "Reserve",
        "States": {
            "Reserve": activity(first, Next="Ship it"),
            "Ship it": activity(second, End=True),
        },
    }


def state(page: Page, name: str, word: str = ""):
    return page.locator(f'.state{"." + word if word else ""}[data-state="{name}"]')


async def test_it_follows_an_execution_to_its_failure_and_shows_the_traceback(
    endpoint: Endpoint, browser: Browser
) -> None:
    first, second = unique("first"), unique("second")
    execution = await endpoint.start(chain(first=first, second=second), {"order": 7})
    page = await browser.open(endpoint.page(execution))
    await expect(state(page, "Reserve", "waiting")).to_be_visible()
    await expect(state(page, "Ship it", "not-taken")).to_be_visible()

    token = await endpoint.take(first)
    await expect(state(page, "Reserve", "running")).to_be_visible()
    await endpoint.account.call("SendTaskSuccess", taskToken=token, output='{"reserved": true}')
    await expect(state(page, "Reserve", "succeeded")).to_be_visible()
    await expect(page.locator('.way[data-to="Ship it"]')).to_have_attribute("data-taken", "")

    await endpoint.fail(second, "KeyError", TRACE)
    await expect(state(page, "Ship it", "failed")).to_be_visible()
    await expect(page.locator("#head .status")).to_have_text("failed")
    await expect(page.locator("#panel")).to_contain_text("Failed in Ship it")

    await state(page, "Ship it").locator("a").click()
    await expect(page.locator("#panel-title")).to_have_text("Ship it")
    await expect(page.locator("#panel .traceback")).to_have_text("\n".join(TRACE["stackTrace"]))
    await expect(page.locator("#panel .attempts")).to_contain_text("tester")
    replay = page.get_by_label("The workers replay line of this step", exact=True)
    await expect(replay).to_contain_text(f"workers replay {execution} --state 'Ship it' --local")
    await expect(page.get_by_role("button", name="Copy: The workers replay line")).to_be_visible()
    await expect(page.get_by_label("Input", exact=True)).to_have_text(json.dumps({"reserved": True}, indent=2))
    assert "state=Ship+it" in page.url


async def test_it_is_used_by_keyboard_and_every_view_has_an_address(endpoint: Endpoint, browser: Browser) -> None:
    states = {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "Result": {"two": 2}, "End": True}}
    execution = await endpoint.start({"StartAt": "One", "States": states}, {"x": 1})
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution))
    await page.get_by_label("Find a state").fill("tw")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-title")).to_be_focused()
    await expect(page.locator("#panel")).to_contain_text('"two": 2')
    await page.keyboard.press("Escape")
    await expect(state(page, "Two").locator("a")).to_be_focused()
    await page.get_by_role("link", name="Events").click()
    await expect(page.locator(".events")).to_contain_text("ExecutionSucceeded")
    await page.get_by_role("link", name="Definition").click()
    await expect(page.get_by_label("Definition", exact=True)).to_contain_text('"StartAt": "One"')
    await page.reload()
    await expect(page.locator("#panel-title")).to_have_text("Two")
    await page.go_back()
    await page.go_back()
    await expect(page.locator(".timeline")).to_be_visible()


HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>&{{7*7}}"


async def test_hostile_names_inputs_and_causes_stay_text(endpoint: Endpoint, browser: Browser) -> None:
    name, work = HOSTILE[:78], unique("work")
    inner = {"StartAt": name, "States": {name: activity(work, End=True)}}
    outer = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "End": True, "Comment": HOSTILE}
    execution = await endpoint.start({"StartAt": "<b>map", "States": {"<b>map": outer}}, {"items": [HOSTILE]})
    page = await browser.open(endpoint.page(execution))
    cause = {"errorType": HOSTILE, "errorMessage": HOSTILE, "stackTrace": [HOSTILE]}
    await endpoint.fail(work, HOSTILE, cause)
    await expect(state(page, "<b>map", "failed")).to_be_visible()
    await page.locator(".state .state > a").first.click()
    await expect(page.locator("#panel-title")).to_have_text(name)
    await expect(page.locator("#panel .error-name")).to_have_text(HOSTILE)
    await expect(page.locator("#panel .error-message")).to_have_text(HOSTILE)
    for tab in ("Events", "Map items", "Input and output", "Definition"):
        await page.get_by_role("link", name=tab).click()
        await expect(page.locator(".tabs [aria-current]")).to_contain_text(tab)
    await page.reload()
    await expect(page.locator("#panel-title")).to_have_text(name)
    assert await page.evaluate("document.querySelectorAll('img, script:not([src])').length") == 0


@pytest.mark.parametrize("dark", [False, True])
async def test_nothing_keeps_people_from_using_it(
    endpoint: Endpoint, browser: Browser, axe: str, *, dark: bool
) -> None:
    execution = await endpoint.start(*broken_map())
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution, "?state=Look&tab=items"), dark=dark)
    await expect(page.locator("#panel-title")).to_have_text("Look")
    assert await barriers(page, axe) == []
    await page.goto(endpoint.page(execution))
    await expect(page.locator(".timeline")).to_be_visible()
    assert await barriers(page, axe) == []


def broken_map() -> tuple[dict, dict]:
    """A Map whose third item fails, in a Parallel that catches it."""
    look = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Break"}],
        "Default": "Fine",
    }
    inner = {
        "StartAt": "Look",
        "States": {
            "Look": look,
            "Break": {"Type": "Fail", "Error": "Odd", "Cause": "two"},
            "Fine": {"Type": "Pass", "End": True},
        },
    }
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}
    both = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Each", "States": {"Each": each}}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Told"}],
        "End": True,
    }
    states = {"Both": both, "Told": {"Type": "Pass", "End": True}}
    return {"StartAt": "Both", "States": states}, {"items": [0, 1, 2, 3]}


async def test_a_phone_shows_it_and_nested_states_open_and_close(endpoint: Endpoint, browser: Browser) -> None:
    execution = await endpoint.start(*broken_map())
    await endpoint.ended(execution)
    page = await browser.open(endpoint.page(execution, "?state=Break"), size=NARROW)
    await expect(page.locator("#panel .error-name")).to_have_text("Odd")
    assert await overflow(page) == 0
    await expect(state(page, "Both", "caught")).to_be_attached()
    await page.get_by_label("Hide what is inside of Each").dispatch_event("click")
    await expect(state(page, "Break")).to_have_count(0)
    await page.get_by_label("Show what is inside of Each").dispatch_event("click")
    await expect(state(page, "Break", "failed")).to_be_attached()
    await page.get_by_role("link", name="Map items").click()
    rows = page.locator("#tab tbody tr")
    await expect(rows.first).to_contain_text("failed")
    await expect(rows.first).to_contain_text("Odd")
    await expect(rows).to_have_count(3)
    assert await overflow(page) == 0
