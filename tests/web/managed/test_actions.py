"""What can be done from the page; each action asks first, and shows what the server says against it."""

import json
import re
from html import unescape
from urllib.parse import quote

from tests.account import ROLE, unique
from tests.manager.conftest import BREAKS, CHAIN, PASSES, activities, defined, ended, until
from tests.web.managed.conftest import XSS, Site
from workers.executions.waiting import describe_execution
from workers.manager.manager import LocalManager
from workers.manager.model import Query
from workers.stepfunctions.account import Account

_LINES = re.compile(r'<pre class="value"[^>]*>([^<]*)</pre>')


async def test_a_workflow_is_started_with_the_input_of_the_last_one(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    path = f"/definitions/{definition.name}/start"
    first = await site.send(path, input='{"n": 1}', queue="slow", tags="team=blue\r\n\r\n a = b=c ", version="0")
    assert first.status == 200
    (workflow,) = (await manager.workflows(Query(workflow_definition_name=definition.name))).items
    assert (workflow.queue, workflow.tags) == ("slow", {"team": "blue", "a": "b=c"})
    assert first.url.endswith(f"/ui/workflows/{workflow.id}")
    form = await site.ok(path)
    assert "&#34;n&#34;: 1" in form.text
    assert "team=blue" not in form.text
    assert "team=blue" in (await site.ok(f"{path}?like={workflow.id}")).text


async def test_the_same_form_sent_twice_starts_one(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    path = f"/definitions/{definition.name}/start"
    key = (await site(path)).key
    urls = {(await site.post(path, {"form_key": key, "key": "k" * 32, "input": "{}"})).url for _ in range(2)}
    assert len(urls) == 1


async def test_what_is_refused_stays_in_the_form_with_the_servers_own_words(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    path = f"/definitions/{definition.name}/start"
    page = await site.send(path, input=f"[{XSS}", queue="q", tags="team")
    assert page.status == 400
    assert "'team' is no KEY=VALUE" in page.words
    page = await site.send(path, input=f"[{XSS}", queue="q")
    assert page.status == 400
    assert "It was not done" in page.words
    assert "<img" not in page.text
    assert 'value="q"' in page.text
    assert (await site.send(path, input="{}", version="7")).status == 404
    for wrong in ({"namespace": "a--b"}, {"version": "x"}, {"queue": "a/b"}, {"queue": "\0"}, {"version": "9" * 30}):
        assert (await site.send(path, **({"input": "{}"} | wrong))).status == 400
    await manager.deprecate_definition(definition.name)
    assert "is deprecated" in (await site.send(path, input="{}")).words


async def test_a_start_is_shown_as_lines_for_a_terminal(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    page = await site.send(f"/definitions/{definition.name}/start", input='{"it\'s": 1}', do="show", tags="a=b")
    line, call = _LINES.findall(page.text)
    assert line.startswith(f"workers workflows start {definition.name}")
    assert "--tag a=b" in line
    assert call.startswith(f"curl -X POST {site.root}/workflows")
    assert (await manager.counts()) == []


async def test_a_workflow_is_cancelled_with_a_reason(site: Site, manager: LocalManager, here: Account):
    await activities(here, "one", "two")
    definition = await defined(manager, CHAIN)
    workflow = await until(manager, await manager.start_workflow(definition.name), "running")
    page = await site.ok(f"/workflows/{workflow.id}")
    assert "Redrive" not in page.words
    ask = await site.ok(f"/workflows/{workflow.id}/cancel")
    assert "This cannot be undone" in ask.words
    await site.send(f"/workflows/{workflow.id}/cancel", reason=f"because {XSS}")
    found = await ended(manager, workflow)
    assert (found.status, found.cancel_reason) == ("cancelled", f"because {XSS}")
    page = await site.ok(f"/workflows/{workflow.id}")
    assert "<img" not in page.text
    assert "Resume from a state" in page.words


async def test_a_failed_workflow_is_resumed_redriven_and_resolved(site: Site, manager: LocalManager):
    definition = await defined(manager, BREAKS)
    workflow = await ended(manager, await manager.start_workflow(definition.name, {}))
    page = await site.ok(f"/workflows/{workflow.id}")
    assert "as the test says" in page.words
    assert "workers replay" not in page.text  # no handler failed
    ask = await site.ok(f"/workflows/{workflow.id}/resume")
    assert '<option value="break" selected>' in ask.text or '<option value="look" selected>' in ask.text
    resumed = await site.send(f"/workflows/{workflow.id}/resume", state="look")
    assert workflow.id in resumed.text
    refused = await site.send(f"/workflows/{workflow.id}/resume", state="nowhere")
    assert (refused.status, "Invalid StartAt state nowhere" in refused.words) == (400, True)
    await site.send(f"/workflows/{workflow.id}/resolve")
    again = await site.send(f"/workflows/{workflow.id}/resolve")
    assert (again.status, "already resolved" in again.words) == (409, True)
    redriven = await site.send(f"/workflows/{workflow.id}/redrive")
    assert redriven.status == 200
    assert (await ended(manager, workflow)).redrive_count == 1


async def test_the_replay_line_of_a_failed_step_is_there(site: Site, manager: LocalManager, here: Account):
    await activities(here, "one", "two")
    definition = await defined(manager, CHAIN)
    workflow = await manager.start_workflow(definition.name)
    task = await here.call("GetActivityTask", activityArn=here.activity("one"))
    cause = json.dumps({"errorType": "ValueError", "errorMessage": XSS, "stackTrace": [f'  File "{XSS}", line 1']})
    await here.call("SendTaskFailure", taskToken=task["taskToken"], error="ValueError", cause=cause)
    failed = await ended(manager, workflow)
    page = await site.ok(f"/workflows/{workflow.id}")
    assert f"workers replay {failed.execution_arn} --state one" in page.text
    for path in (f"/workflows/{workflow.id}", "/workflows", "/"):
        assert "<img" not in (await site.ok(path)).text


async def test_each_action_is_shown_as_lines_for_a_terminal(site: Site, manager: LocalManager):
    definition = await defined(manager, BREAKS)
    workflow = await ended(manager, await manager.start_workflow(definition.name, {}))
    about, options = f"{site.root}/workflows/{workflow.id}", f"--url {site.root}"
    json_ = "-H 'Content-Type: application/json' -d"
    lines = {
        "cancel": (f"{workflow.id} --reason WHY", f'-X DELETE {about} {json_} \'{{"reason": "WHY"}}\''),
        "resume": (f"{workflow.id} STATE", f'-X POST {about} {json_} \'{{"StartAt": "STATE"}}\''),
        "redrive": (workflow.id, f"-X POST {about}/redrive"),
        "resolve": (workflow.id, f"-X POST {about}/resolved"),
    }
    for action, (line, call) in lines.items():
        found = _LINES.findall((await site.ok(f"/workflows/{workflow.id}/{action}")).text)
        expected = [f"workers workflows {action} {line} {options}", f"curl {call}"]
        assert [unescape(one) for one in found] == expected


async def test_what_is_not_there_is_not_found(site: Site):
    for path in (
        "/workflows/nobody",
        "/workflows/nobody/cancel",
        "/definitions/nobody/start",
        "/machines/nobody/start",
    ):
        assert (await site(path)).status == 404
    assert "nobody" in (await site("/workflows/nobody")).words


async def test_an_unknown_action_is_not_found(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    workflow = await manager.start_workflow(definition.name)
    assert (await site(f"/workflows/{workflow.id}/eat")).status == 404


async def test_an_execution_is_started_and_stopped(site: Site, here: Account):
    name = unique("machine")
    text = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}'
    await here.call("CreateStateMachine", name=name, definition=text, roleArn=ROLE)
    page = await site.send(f"/machines/{name}/start", input='{"n": [1]}', key="a-key-of-the-form", name="")
    assert page.status == 200
    arn = here.place.execution(name, "a-key-of-the-form")
    assert (await describe_execution(arn, account=here)).input == {"n": [1]}
    assert "&#34;n&#34;" in (await site.ok(f"/machines/{name}/start")).text
    shown = await site.ok(f"/executions?machine={name}")
    assert "a-key-of-the-form" in shown.text
    assert "a-key-of-the-form" in (await site.ok(f"/executions?machine={name}&text=KEY-of")).text
    refused = await site.send(f"/machines/{name}/start", input="{", key="k")
    assert (refused.status, "the input is no JSON" in refused.words) == (400, True)
    await site.send(f"/executions/stop/of/{quote(arn)}", reason="enough")
    assert (await describe_execution(arn, account=here)).cause == "enough"
    lines = (await site.ok(f"/executions/commands/of/{quote(arn)}")).text
    assert f"workers replay {arn}" in lines
    assert f"workers executions redrive {arn}" in lines
    again = await site.send(f"/executions/redrive/of/{quote(arn)}")
    assert again.status == 200
    await here.call("StopExecution", executionArn=arn)
