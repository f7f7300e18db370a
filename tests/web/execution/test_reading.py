"""What the page knows of an execution, and how little it asks for that."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.datastructures import QueryParams

from tests.account import PREFIX, unique
from tests.manager.conftest import kept_open
from tests.web.execution.endpoint import Endpoint, activity
from tests.web.execution.test_page import broken_map
from workers.durations import in_words
from workers.payloads import Payloads
from workers.web.execution import followed as followed_module
from workers.web.execution.followed import Followed
from workers.web.execution.items import Item
from workers.web.execution.step import step_of
from workers.web.execution.timeline import time_line
from workers.web.execution.values import claims_in, failure_of
from workers.web.execution.view import View
from workers.web.rendering import iso
from workers.web.standing import standing_pages

LONG = 1_000.0


async def whole(endpoint: Endpoint, execution: str) -> Followed:
    followed = Followed(endpoint.account, execution)
    await followed.open()
    while await followed.look():
        pass
    return followed


async def standing(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next event of a stream that says how the execution stands."""
    async for line in response.content:
        if line.startswith(b"data: {") and b"status" in line:
            return json.loads(line.removeprefix(b"data: "))
    raise AssertionError("the stream has ended")


async def test_ten_viewers_cost_one_read(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})
    monkeypatch.setattr(followed_module, "INTERVAL_HERE", LONG)
    asked: list[str] = []
    endpoint.account.called = lambda operation, _: asked.append(operation)
    async with aiohttp.ClientSession() as session:
        viewers = [await session.get(f"{endpoint.url}/live/{execution}") for _ in range(10)]
        told = await asyncio.gather(*(standing(viewer) for viewer in viewers))
        for viewer in viewers:
            viewer.close()
    assert [one["states"] for one in told] == [{"Work": ["waiting", ""]}] * 10
    assert asked.count("GetExecutionHistory") == 1


async def test_the_stream_tells_what_is_new_and_ends_with_the_execution(endpoint: Endpoint) -> None:
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})
    async with aiohttp.ClientSession() as session, session.get(f"{endpoint.url}/live/{execution}") as stream:
        assert (await standing(stream))["ended"] is False
        await endpoint.succeed(work)
        text = (await stream.content.read()).decode()
    last = json.loads(text.split("data: ")[-2].partition("\n")[0])
    assert (last["status"], last["ended"], last["states"]) == ("SUCCEEDED", True, {"Work": ["succeeded", ""]})
    assert text.endswith("event: end\ndata: {}\n\n")


async def test_later_reads_ask_for_what_is_new_and_a_redrive_is_noticed(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_module, "INTERVAL_HERE", 0.0)
    monkeypatch.setattr(followed_module, "_REST", 0.0)
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})
    followed = await whole(endpoint, execution)
    await endpoint.fail(work, "Broken", "it is")
    assert await endpoint.ended(execution) == "FAILED"
    await followed.look()
    assert followed.ended
    assert [event.id for event in followed.events] == list(range(1, len(followed.events) + 1))
    await endpoint.account.call("RedriveExecution", executionArn=execution)
    await followed.look()
    assert not followed.ended
    await endpoint.succeed(work)
    await endpoint.ended(execution)
    await followed.look()
    assert (followed.ended, followed.execution.status) == (True, "SUCCEEDED")


async def test_items_say_where_they_failed_and_failures_come_first(endpoint: Endpoint) -> None:
    execution = await endpoint.start(*broken_map())
    await endpoint.ended(execution)
    followed = await whole(endpoint, execution)
    (each,) = followed.progress.states["Each"].visits
    items = followed.items.of_map(each)
    assert [(item.index, str(item.outcome)) for item in items] == [(2, "failed"), (0, "succeeded"), (1, "succeeded")]
    assert isinstance(items[0], Item)
    assert [visit.state for visit in items[0].visits] == ["Look", "Break"]
    step = await step_of(followed, followed.progress.states["Break"].visits[0])
    assert (step.failure and step.failure.error, step.failure and step.failure.message) == ("Odd", "two")
    assert (step.item, step.input) == (items[0], 2)
    line = time_line(followed, 0)
    assert [row.visit.state for row in line.rows][:4] == ["Both", "Each", "Look", "Fine"]
    assert line.total == len(line.rows)


async def test_attempts_are_told_apart(endpoint: Endpoint) -> None:
    work = unique("work")
    retry = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    execution = await endpoint.start(
        {"StartAt": "Work", "States": {"Work": activity(work, Retry=retry, End=True)}}, {"x": 1}
    )
    await endpoint.fail(work, "Flaky", {"errorType": "Flaky", "errorMessage": "not now", "stackTrace": ["a", "b"]})
    await endpoint.succeed(work, {"y": 2})
    await endpoint.ended(execution)
    followed = await whole(endpoint, execution)
    step = await step_of(followed, followed.progress.states["Work"].visits[0])
    assert [(one.number, one.worker, one.outcome) for one in step.attempts] == [
        (1, "tester", "failed"),
        (2, "tester", "succeeded"),
    ]
    first = step.attempts[0].failure
    assert first is not None
    assert (first.error, first.message, first.traceback) == ("Flaky", "not now", "a\nb")
    assert (step.input, step.output, step.shows_failure) == ({"x": 1}, {"y": 2}, False)


async def test_a_step_tells_when_it_was_entered_and_left_and_how_long_it_took(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_module, "INTERVAL_HERE", 0.0)
    work = unique("work")
    execution = await endpoint.start({"StartAt": "Work", "States": {"Work": activity(work, End=True)}})

    async def facts() -> dict[str, str]:
        async with aiohttp.ClientSession() as session, session.get(endpoint.page(execution, "?state=Work")) as said:
            text = (await said.text()).partition('<dl class="facts">')[2].partition("</dl>")[0]
        found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", text)
        return {name: (re.findall(r'datetime="([^"]+)"', what) or [what])[0] for name, what in found}

    token = await endpoint.take(work)
    running = await facts()
    assert running.keys() >= {"Entered", "For"}
    assert not running.keys() & {"Left", "Took"}
    await endpoint.account.call("SendTaskSuccess", taskToken=token, output="{}")
    await endpoint.ended(execution)
    history = await endpoint.account.call("GetExecutionHistory", executionArn=execution)
    times = {event["type"]: event["timestamp"] for event in history["events"]}
    entered, left = times["TaskStateEntered"], times["TaskStateExited"]
    found = await facts()
    assert (found["Entered"], found["Left"]) == (iso(entered), iso(left))
    assert found["Took"] == in_words((left - entered).total_seconds())


@pytest.mark.parametrize(
    ("cause", "message", "traceback", "details"),
    [
        ("plain text", "plain text", "", None),
        ('{"errorMessage": "m", "stackTrace": ["a", "b"], "errorType": "T"}', "m", "a\nb", None),
        ('{"errorMessage": "m", "more": 1}', "m", "", {"more": 1}),
        ('{"Status": "FAILED"}', "", "", {"Status": "FAILED"}),
        ('{"errorMessage": "cut', '{"errorMessage": "cut', "", None),
        ('{"errorMessage": 7, "stackTrace": 8}', "", "", {"errorMessage": 7, "stackTrace": 8}),
    ],
)
def test_causes(cause: str, message: str, traceback: str, details: Any) -> None:
    found = failure_of({"error": "E", "cause": cause})
    assert found is not None
    assert (found.error, found.message, found.traceback, found.details) == ("E", message, traceback, details)


async def test_claims_are_shown_as_such_and_loaded_only_from_the_configured_store(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    ours, theirs = f"file://{tmp_path}/ours", f"file://{tmp_path}/theirs"
    async with Payloads(ours) as here, Payloads(theirs) as there:
        claim = await here.offload({"secret": "<b>ours</b>" * 100}, always=True)
        foreign = await there.offload({"secret": "theirs" * 100}, always=True)
    document = {"mine": claim, "foreign": [foreign], "text": {"workers:claim": 1}}
    assert len(claims_in(document)) == 2
    execution = await endpoint.start({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, document)
    await endpoint.ended(execution)
    endpoint.account.settings = endpoint.account.settings.model_copy(update={"payloads": ours})
    places = [found.place for found in claims_in(document)]
    async with kept_open(standing_pages(endpoint.account)) as url, aiohttp.ClientSession() as session:
        page = await (await session.get(f"{url}/executions/{execution}?tab=data")).text()
        answers = {}
        for place in places:
            got = await session.get(f"{url}/payloads/{execution}", params={"of": "input", "place": place})
            answers[place] = await got.text()
        nothing = await session.get(f"{url}/payloads/{execution}", params={"of": "input", "place": "$.text"})
    assert "Offloaded payload" in page
    assert "&lt;b&gt;ours" in next(text for place, text in answers.items() if "mine" in place)
    assert "theirstheirs" not in "".join(answers.values())
    assert nothing.status == 404


def test_an_address_that_makes_no_sense_is_the_first_view() -> None:
    view = View.of(QueryParams("tab=nonsense&visit=x&start=-4&fold=a&fold=b"))
    assert (view.tab, view.visit, view.start, view.fold) == ("timeline", None, 0, {"a", "b"})
    assert View.of(QueryParams(view.link(state="A&B=C", tab="items")[1:])).state == "A&B=C"


@pytest.mark.parametrize("address", ["nonsense", f"{PREFIX}:execution:m:none", "%3Cscript%3E"])
async def test_what_is_not_there_is_said_in_a_page(endpoint: Endpoint, address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{endpoint.url}/executions/{address}") as said:
        text = await said.text()
        assert said.status in {400, 404}
    assert "<script>" not in text.split("<main")[1]
    policy = said.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self';")
