"""A page that nobody sees keeps no connection open, and costs no read; seen again, it shows what happened meanwhile."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from playwright.async_api import Page, expect

from tests.account import unique
from tests.web.browser import Browser
from tests.web.execution.endpoint import Endpoint, activity
from tests.web.execution.test_page import chain, state
from workers.web.execution import routes

_SEEN = """hidden => {
    Object.defineProperty(document, "hidden", {configurable: true, value: hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""What a browser does when its tab is hidden or shown: without a window, all of its pages are shown."""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[anyio.Event]:
    """For each stream that is begun, whether the server still serves it."""
    real, found = routes.stream, list[anyio.Event]()

    async def observed(*arguments: Any) -> AsyncIterator[str]:
        found.append(over := anyio.Event())
        try:
            async for piece in real(*arguments):
                yield piece
        finally:
            over.set()

    monkeypatch.setattr(routes, "stream", observed)
    return found


async def seen(page: Page, *, again: bool) -> None:
    await page.evaluate(_SEEN, not again)


async def test_a_hidden_page_follows_nothing_and_catches_up_when_it_is_seen(
    endpoint: Endpoint, browser: Browser, ended: list[anyio.Event]
) -> None:
    first, second = unique("first"), unique("second")
    execution = await endpoint.start(chain(first=first, second=second))
    page = await browser.open(endpoint.page(execution))
    await expect(state(page, "Reserve", "waiting")).to_be_visible()
    token = await endpoint.take(first)
    await expect(state(page, "Reserve", "running")).to_be_visible()  # it listens
    await seen(page, again=False)
    with anyio.fail_after(20):
        await ended[0].wait()

    await endpoint.account.call("SendTaskSuccess", taskToken=token, output="{}")
    await endpoint.take(second)
    asked: list[str] = []
    endpoint.account.called = lambda operation, _: asked.append(operation)
    await anyio.sleep(1.0)  # three times the interval of reading
    assert asked == []
    assert len(ended) == 1
    await expect(state(page, "Reserve", "running")).to_be_visible()
    await seen(page, again=True)
    await expect(state(page, "Reserve", "succeeded")).to_be_visible()
    await expect(state(page, "Ship it", "running")).to_be_visible()
    assert len(ended) == 2
    await page.goto("about:blank")
    with anyio.fail_after(20):
        await ended[1].wait()
    await endpoint.account.call("StopExecution", executionArn=execution)


async def test_what_ended_while_the_page_was_hidden_is_shown_and_no_longer_followed(
    endpoint: Endpoint, browser: Browser, ended: list[anyio.Event]
) -> None:
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})
    page = await browser.open(endpoint.page(execution))
    token = await endpoint.take(work)
    await expect(state(page, "Work", "running")).to_be_visible()
    await seen(page, again=False)
    await endpoint.account.call("SendTaskSuccess", taskToken=token, output="{}")
    assert await endpoint.ended(execution) == "SUCCEEDED"
    await seen(page, again=True)
    await expect(page.locator("#head .status")).to_have_text("succeeded")
    await seen(page, again=False)
    await seen(page, again=True)
    assert len(ended) == 2


@pytest.mark.slow
async def test_more_pages_than_a_browser_has_connections_to_a_host(endpoint: Endpoint, browser: Browser) -> None:
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})
    first = await browser.open(endpoint.page(execution))
    pages = [first]
    for _ in range(7):
        await expect(state(pages[-1], "Work", "waiting")).to_be_visible()
        await seen(pages[-1], again=False)
        pages.append(await first.context.new_page())
        await pages[-1].goto(endpoint.page(execution))
    await expect(state(pages[-1], "Work", "waiting")).to_be_visible()
    for page in pages:
        await page.close()
    await endpoint.account.call("StopExecution", executionArn=execution)
