"""The web page with a million workflows in SQLite: what the server takes for a page of a list, and for the overview.

The bound: 100 ms of server time (p95). Pages are asked over HTTP, one after the other, each kind with other values, and
of lists the second page as well. Wall time, and the processor time of server and client together, which says the same
on a machine that does other things, too. An overview does not wait for plots that take long: `plots` tells when they
are there, as its script sees them.

Run: python benchmarks/web_lists.py [ROWS [FILE]]. A FILE that exists is used again; in a new one, the newest workflow
has just been started. Nothing looks after the workflows: their executions do not exist.
"""

import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import manager as manager_benchmark
from manager import ROWS, SPAN, memory, queries

from workers.collector import settle
from workers.local import LocalStepFunctions
from workers.manager.api.app import make_app
from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.manager.serving import serving
from workers.manager.store.sql.store import SqlStore
from workers.stepfunctions.account import open_account
from workers.web.beside import pages_beside

PAGES = 15
FORGOTTEN = 5.5
"""Seconds after which the overview counts again what its plots show."""
PENDING, SOON = "data-pending", 0.3
"""What stands in an overview whose plots are being counted, and the seconds after which its script looks again."""
NEXT = re.compile(r'rel="next" href="([^"]+)"')


def address(asked: dict[str, Any]) -> str:
    """What `queries` asks, as the address of a list."""
    given: dict[str, Any] = {
        "definition": asked.get("workflow_definition_name", ""),
        "status": [str(one) for one in asked.get("status", ())],
        "unresolved": "1" if asked.get("resolved_by_user") is False else "",
        "namespace": asked.get("namespace", ""),
        "queue": asked.get("queue", ""),
        "text": " ".join([asked.get("id_contains", ""), *(f"{k}={v}" for k, v in asked.get("tags", {}).items())]),
        "order": "changed" if "sort" in asked else "oldest" if asked.get("oldest_first") else "",
    }
    for name, key in (("after", "created_after"), ("before", "created_before")):
        if key in asked:
            given[name] = f"{asked[key]:%Y-%m-%dT%H:%M:%S}"
    return urlencode({name: value for name, value in given.items() if value}, doseq=True)


class Visitor:
    """Asks for pages, and notes what each kind of them takes."""

    def __init__(self, session: aiohttp.ClientSession, root: str) -> None:
        self.took: dict[str, list[float]] = {}
        """Milliseconds, by kind."""
        self.cpu: dict[str, list[float]] = {}
        """Milliseconds of the processor, the visitor's own among them."""
        self._session = session
        self._root = root

    async def page(self, kind: str, path: str) -> str:
        """The text of a page."""
        with self._noted(kind):
            async with self._session.get(self._root + path) as answer:
                text = await answer.text()
        assert answer.status == 200, text
        return text

    async def overview(self, span: str) -> None:
        """Looks at the overview until its plots are there."""
        with self._noted(f"plots, {span}"):
            while True:
                if PENDING not in await self.page(f"overview, {span}", f"/ui/?span={span}"):
                    return
                await asyncio.sleep(SOON)

    @contextmanager
    def _noted(self, kind: str) -> Iterator[None]:
        begun, worked = time.perf_counter(), time.process_time()
        yield
        self.took.setdefault(kind, []).append((time.perf_counter() - begun) * 1_000)
        self.cpu.setdefault(kind, []).append((time.process_time() - worked) * 1_000)


async def measure(file: Path) -> dict[str, Any]:
    """What pages take, by kind."""
    async with AsyncExitStack() as stack:
        local = await stack.enter_async_context(LocalStepFunctions())
        os.environ.update(local.environment())
        account = await stack.enter_async_context(open_account())
        manager = LocalManager(await stack.enter_async_context(SqlStore(f"sqlite:///{file}")), account)
        app, stopping = pages_beside(make_app(manager), manager, tokens=Tokens())
        root = await stack.enter_async_context(serving(app, stopping=stopping))
        visitor = Visitor(await stack.enter_async_context(aiohttp.ClientSession()), root)
        await visitor.page("(the first of all)", "/ui/workflows")
        settle()  # as `workers serve` does
        chance = random.Random(2)
        for _ in range(PAGES):
            for kind, asked in queries(chance):
                text = await visitor.page(kind, f"/ui/workflows?{address(asked)}")
                if following := NEXT.search(text):
                    await visitor.page(kind, f"/ui/workflows{unescape(following[1])}")
        for span in ("day", "week", "month"):
            for _ in range(2):
                await visitor.overview(span)
                await asyncio.sleep(FORGOTTEN)
        for _ in range(PAGES):
            await visitor.page("definitions", "/ui/definitions")
    return {"took": visitor.took, "cpu": visitor.cpu, "rss": memory()}


def show(found: dict[str, Any]) -> None:
    print(f"{'milliseconds':28}{'wall p50':>10}{'p95':>8}{'max':>8}{'cpu p50':>10}{'p95':>8}{'max':>8}")
    for kind in [*found["took"], "all pages of lists"]:
        numbers = (number for name in ("took", "cpu") for number in summary(found[name], kind))
        print(f"{kind:28}" + "".join(f"{number:{10 if at % 3 == 0 else 8}.1f}" for at, number in enumerate(numbers)))
    print(f"memory: {found['rss']:.0f} MB, with the embedded Step Functions")


def summary(times: dict[str, list[float]], kind: str) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum."""
    of = times.get(kind) or [
        one for name, some in times.items() if not name.startswith(("(", "overview", "plots")) for one in some
    ]
    last = statistics.quantiles(of, n=20, method="inclusive")[18] if len(of) > 1 else of[0]
    return statistics.median(of), last, max(of)


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(asyncio.run(measure(Path(sys.argv[2])))))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "manager.sqlite"
        if not file.exists():
            manager_benchmark.BEGIN = datetime.now(UTC) - SPAN
            asyncio.run(manager_benchmark.prepare(f"sqlite:///{file}", rows))
        asked = [sys.executable, __file__, "measure", str(file)]
        show(json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
