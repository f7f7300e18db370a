"""Definitions: versions, how two differ, pictures, problems; and who works for them."""

from typing import Any

from tests.account import ROLE, unique
from tests.manager.conftest import CHAIN, PASSES, activities, defined, until
from tests.web.managed.conftest import XSS, Site, visiting
from workers.manager.manager import LocalManager
from workers.manager.requests import NewWorkflowDefinition
from workers.stepfunctions.account import Account
from workers.web.definitions.difference import Kind, difference


def test_two_versions_differ_in_lines_and_states():
    task = {"Type": "Task", "Resource": "add", "TimeoutSeconds": 60}
    before = {"StartAt": "A", "States": {"A": {**task, "Next": "B"}, "B": {"Type": "Pass", "End": True}}}
    after = {"StartAt": "A", "States": {"A": {**task, "TimeoutSeconds": 90, "Next": "C"}, "C": {"Type": "Succeed"}}}
    found = difference(before, after)
    assert found.states == (("A", Kind.CHANGED), ("B", Kind.REMOVED), ("C", Kind.ADDED))
    lines = [line for hunk in found.hunks for line in hunk]
    (removed, *_) = [line for line in lines if line.kind is Kind.REMOVED]
    assert [(part.text, part.changed) for part in removed.parts][-1] == ("0", False)
    assert any(part.text == "6" and part.changed for part in removed.parts)
    assert difference(before, before).hunks == ()


def test_the_notation_and_asl_of_the_same_machine_differ_in_no_state():
    notation = {"start_at": "A", "states": {"A": {"type": "pass", "end": True}}}
    asl = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    assert difference(notation, asl).states == ()


async def test_a_definition_shows_its_versions_and_their_difference(site: Site, manager: LocalManager):
    definition = await defined(manager, PASSES)
    after: dict[str, Any] = {"StartAt": "first", "States": {"first": {"Type": "Succeed"}}}
    await manager.update_definition(NewWorkflowDefinition(name=definition.name, state_machine=after))
    page = await site.ok(f"/definitions/{definition.name}")
    assert "v1" in page.words
    page = await site.ok(f"/definitions/{definition.name}?version=1&against=0")
    assert "From v0 to v1" in page.words
    assert "changed first" in page.words
    assert (await site(f"/definitions/{definition.name}?version=7")).status == 404
    assert (await site("/definitions/nobody")).status == 404
    assert '<svg class="plain" role="img" aria-label="The states of' in page.text


async def test_a_definition_shows_its_problems(site: Site, manager: LocalManager):
    machine = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "add", "End": True}}}
    definition = await defined(manager, machine)
    page = await site.ok(f"/definitions/{definition.name}")
    assert "Problems" in page.words
    assert "warning" in page.words


async def test_names_in_definitions_are_never_markup(site: Site, manager: LocalManager):
    name = XSS.replace("/", "")
    machine = {"StartAt": XSS, "States": {XSS: {"Type": "Pass", "Comment": XSS, "End": True}}}
    await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=machine, default_tags={"a": XSS}))
    from urllib.parse import quote

    for path in (f"/definitions/{quote(name)}", f"/definitions/{quote(name)}/start", "/definitions"):
        assert "<img src=x" not in (await site.ok(path)).text


async def test_state_machines_have_versions_too(site: Site, here: Account):
    name = unique("machine")
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    made = await here.call("CreateStateMachine", name=name, definition=text, roleArn=ROLE, publish=True)
    changed = text.replace('"Pass", "End": true', '"Succeed"')
    await here.call("UpdateStateMachine", stateMachineArn=made["stateMachineArn"], definition=changed)
    assert name in (await site.ok(f"/machines?text={name}")).text
    page = await site.ok(f"/machines/{name}?against=1")
    assert "From v1 to present" in page.words
    assert (await site(f"/machines/{name}?version=9")).status == 404
    assert (await site("/machines/nobody")).status == 404


async def test_what_waits_for_a_worker_is_shown_by_activity(site: Site, manager: LocalManager, here: Account):
    await activities(here, "one", "two")
    definition = await defined(manager, CHAIN)
    workflow = await manager.start_workflow(definition.name)
    found = await until(manager, workflow, "running")
    page = await site.ok("/workers")
    row = page.text.partition(f'id="a-{here.activity("one")}"')[2].partition("</tr>")[0]
    assert "status waiting" in row
    assert str(found.execution_arn) in row
    task = await here.call("GetActivityTask", activityArn=here.activity("one"), workerName=f"me {XSS}"[:80])
    assert task["taskToken"]
    async with visiting(manager, health=("http://127.0.0.1:9/",)) as anew:
        page = await anew.ok("/workers")
        row = page.text.partition(f'id="a-{here.activity("one")}"')[2].partition("</tr>")[0]
        assert "1 taken" in row
        assert "1 running" in row
        assert "<img" not in page.text
        assert "no answer" in page.words
    await manager.cancel_workflow(workflow.id, "the test is over")
