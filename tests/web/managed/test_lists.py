"""Lists of workflows: filters in the address, pages, and what the overview puts first."""

import re
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from starlette.datastructures import QueryParams

from tests.manager.conftest import BREAKS, PASSES, defined, ended
from tests.web.managed.conftest import XSS, Site
from workers.manager.manager import LocalManager
from workers.manager.model import Status
from workers.manager.store.interface import Tally
from workers.web.lists.asked import Asked, Order
from workers.web.lists.plots import Span, by_definition, plots_of

_ROW = re.compile(r'id="w-([^"]+)"')


def test_an_address_and_what_is_asked_are_the_same():
    address = "text=abc+team%3Dblue&definition=d&status=failed&status=running&unresolved=1&namespace=n&queue=q&"
    address += "after=2026-01-31T12%3A00&before=2026-02-01T00%3A00%3A05&order=oldest&page=x"
    asked = Asked.of(QueryParams(address))
    assert not asked.problems
    assert Asked.of(QueryParams(asked.address(page="x"))) == asked
    query = asked.query()
    assert (query.id_contains, query.tags, query.oldest_first) == ("abc", {"team": "blue"}, True)
    assert query.status == (Status.RUNNING, Status.FAILED)
    assert query.created_before == datetime(2026, 2, 1, 0, 0, 5, tzinfo=UTC)
    assert "page" not in asked.address(order=Order.NEWEST)
    assert not Asked.of(QueryParams("status=&text=&order=")).address()


def test_what_an_address_cannot_ask_is_told_and_left_out():
    asked = Asked.of(QueryParams("status=lost&order=best&after=yesterday&before=0001-01-01T00:00%2B14:00&text=a+b"))
    assert len(asked.problems) == 5
    assert asked.query() == Asked(text="a b").query()


async def test_the_list_shows_what_its_address_asks_for(site: Site, manager: LocalManager):
    definition = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(definition.name, {}, tags={"team": "blue"}))
    fine = await ended(manager, await manager.start_workflow(definition.name, {"fine": True}))

    async def shown(query: str) -> list[str]:
        return _ROW.findall((await site.ok(f"/workflows?{query}")).text)

    assert await shown("") == [fine.id, failed.id]
    assert await shown("order=oldest") == [failed.id, fine.id]
    assert await shown("status=failed&unresolved=1") == [failed.id]
    assert await shown("text=team%3Dblue") == [failed.id]
    assert await shown(f"text={fine.id[4:14]}") == [fine.id]
    assert await shown("definition=another") == []
    page = await site.ok("/workflows?status=lost&page=nonsense")
    assert "there is no lost" in page.words


async def test_a_list_goes_on_on_the_next_page(site: Site, manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    definition = await defined(manager, PASSES)
    for _ in range(5):
        await manager.start_workflow(definition.name)
    seen: list[str] = []
    monkeypatch.setattr("workers.web.lists.asked.PAGE", 2)
    monkeypatch.setattr(Asked.query, "__defaults__", (2,))
    address = f"?definition={definition.name}"
    while address:
        page = await site.ok(f"/workflows{address}")
        seen += _ROW.findall(page.text)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 5


async def test_the_overview_begins_with_what_failed(site: Site, manager: LocalManager):
    definition = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(definition.name, {}))
    resolved = await ended(manager, await manager.start_workflow(definition.name, {}))
    await manager.resolve_workflow(resolved.id)
    while "data-pending" in (page := await site.ok("/")).text:
        await anyio.sleep(0.1)  # they are being counted
    bad, _, rest = page.text.partition("Running and queued")
    assert failed.id in bad
    assert resolved.id not in page.text
    assert "1 failed, unresolved" in page.words
    assert f'aria-label="{definition.name}, the last 24 hours: 2 started, 2 of them failed"' in rest
    for span in ("week", "month", "nonsense"):
        assert (await site(f"/?span={span}")).status == 200


async def test_a_list_tells_when_a_workflow_of_it_changes(site: Site, manager: LocalManager):
    definition, other = await defined(manager, PASSES), await defined(manager, PASSES)
    url = f"{site.root}/ui/changes/workflows?status=failed&definition={definition.name}"
    async with site.session.get(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert "listening" in (await answer.content.readuntil(b"\n\n")).decode()
        await anyio.sleep(1.0)  # what was there before is no news
        await manager.start_workflow(other.name)
        await manager.start_workflow(definition.name)
        with anyio.fail_after(20):
            while "event: changed" not in (await answer.content.readuntil(b"\n\n")).decode():
                pass


async def test_names_tags_and_inputs_are_never_markup(site: Site, manager: LocalManager):
    definition = await defined(manager, BREAKS, name=f"x {XSS.replace('/', '')}")
    await ended(manager, await manager.start_workflow(definition.name, {"text": XSS}, tags={XSS: XSS}))
    for path in ("/", "/workflows", "/definitions", f"/workflows?text={XSS}&definition={XSS}&queue={XSS}"):
        page = await site.ok(path)
        assert "<img" not in page.text
    assert "onerror" in (await site.ok("/workflows")).text


def test_bars_stand_for_their_steps_and_failures_hang_below():
    span = Span(timedelta(hours=1), 24, "24 hours", stays=5)
    since = span.since(datetime(2026, 1, 31, 12, 34, tzinfo=UTC))
    assert since == datetime(2026, 1, 30, 13, tzinfo=UTC)
    tallies = [
        Tally(workflow_definition_name="d", status=Status.SUCCEEDED, since=since, count=9),
        Tally(workflow_definition_name="d", status=Status.FAILED, since=since + 23 * span.step, count=2),
        Tally(workflow_definition_name="late", status=Status.QUEUED, since=since + 24 * span.step, count=1),
    ]
    first, late = plots_of(by_definition(tallies), span, since).shown
    assert (first.name, first.total, first.failed) == ("d", 11, 2)
    assert first.plot.count("<rect") == 2
    assert '<rect class="bar failed" x="230.8" y="36.0"' in first.plot
    assert "12:00 UTC: 2 failed" in first.plot
    assert late.plot.count("<rect") == 0
