"""What workers tell themselves, at the addresses of their health ports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import anyio

_WITHIN = 2.0
"""Seconds in which a health port has to answer."""
_LARGEST = 2**20


@dataclass(frozen=True, slots=True)
class Told:
    """What was found at an address."""

    url: str
    worker: str = ""
    phase: str = ""
    ready: bool = False
    problems: dict[str, str] = field(default_factory=dict)
    """By activity, what keeps it from polling."""
    tasks: tuple[dict[str, Any], ...] = ()
    """Those that run, the oldest first."""
    error: str = ""
    """Why it tells nothing."""


async def ask(urls: Sequence[str]) -> list[Told]:
    """What the workers at these addresses tell, in their order."""
    if not urls:
        return []
    told: dict[str, Told] = {}
    timeout = aiohttp.ClientTimeout(total=_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout) as session, anyio.create_task_group() as group:

        async def one(url: str) -> None:
            try:
                told[url] = _told(url, await _page(session, url, "readyz"), await _page(session, url, "tasks"))
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                told[url] = Told(url, error=str(error) or "it does not answer in time")

        for url in dict.fromkeys(urls):
            group.start_soon(one, url, name=f"ask {url}")
    return [told[url] for url in dict.fromkeys(urls)]


async def _page(session: aiohttp.ClientSession, url: str, page: str) -> dict[str, Any]:
    async with session.get(f"{url.rstrip('/')}/{page}", allow_redirects=False) as answer:
        document = json.loads(await answer.content.read(_LARGEST))
    if not isinstance(document, dict):
        raise ValueError("this is no health port of a worker")  # noqa: TRY004 - the answer is wrong, not a type here
    return document


def _told(url: str, ready: dict[str, Any], tasks: dict[str, Any]) -> Told:
    return Told(
        url=url,
        worker=str(tasks.get("worker", "")),
        phase=str(ready.get("phase", "")),
        ready=ready.get("ready") is True,
        problems={str(name): str(problem) for name, problem in dict(ready.get("problems") or {}).items()},
        tasks=tuple(task for task in tasks.get("tasks") or () if isinstance(task, dict)),
    )
