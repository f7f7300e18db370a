"""Windows of a browser, and what it complains about."""

from typing import Any

from playwright.async_api import Browser as Connected
from playwright.async_api import Page

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = (1280, 900), (360, 740)
PATIENCE = 20_000
"""Milliseconds for which a window waits for what it is to show."""


class Browser:
    """Opens windows, each as of a person of its own."""

    def __init__(self, connected: Connected) -> None:
        self._connected = connected
        self.complaints: list[str] = []
        """Errors of scripts, refusals of the Content-Security-Policy, dialogs, requests to other hosts."""

    async def open(self, url: str, *, size: tuple[int, int] = WIDE, dark: bool = False) -> Page:
        """A window that shows a page."""
        context = await self._connected.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        host = "/".join(url.split("/")[:3])
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(f"console: {said.text}"))
        page.on("request", lambda asked: asked.url.startswith((host, "data:")) or self.complaints.append(asked.url))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        await page.goto(url)
        return page

    async def close(self) -> None:
        """Closes all windows."""
        for context in self._connected.contexts[1:]:
            await context.close()
        await self._connected.close()


async def barriers(page: Page, axe: str) -> list[str]:
    """What axe-core finds on a page that is serious: rule, and where."""
    await page.evaluate(axe)
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']} ({one['help']}): {[node['html'][:200] for node in one['nodes']]}" for one in serious]


async def overflow(page: Page) -> int:
    """Pixels by which a page is wider than its window."""
    width: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(0, width)
