"""Executions where a manager keeps workflows: some are of workflows, others were started otherwise."""

import uuid

import pytest

from tests.account import ROLE, unique
from tests.manager.conftest import CHAIN, activities, defined, until, watched
from tests.proxy import Proxy, proxy, refused
from tests.web.managed.conftest import Site, visiting
from workers.manager.errors import StoreUnavailableError
from workers.manager.manager import LocalManager
from workers.manager.model import Workflow
from workers.stepfunctions.account import Account

__all__ = ["proxy", "watched"]

RAW = {"Stop", "Start again"}


async def running(manager: LocalManager, here: Account) -> Workflow:
    """A workflow in a namespace, whose machine is called after that, too."""
    namespace = unique("prod")
    await activities(here, f"{namespace}--one", f"{namespace}--two", "one", "two")
    definition = await defined(manager, CHAIN)
    workflow = await manager.start_workflow(definition.name, namespace=namespace)
    return await until(manager, workflow, "running")


async def buttons(site: Site, execution: str | None) -> set[str]:
    """What can be done on the page of an execution."""
    page = await site.ok(f"/executions/{execution}")
    actions = page.text.partition('<p class="actions">')[2].partition("</p>")[0]
    return {line.partition(">")[2].partition("<")[0] for line in actions.split("<a ")[1:]}


async def test_only_executions_of_workflows_are_left_to_their_workflow(
    site: Site, manager: LocalManager, here: Account
):
    workflow = await running(manager, here)
    machine = str(workflow.execution_arn).split(":")[6]
    assert "--" in machine
    assert await buttons(site, workflow.execution_arn) == {"Commands", "Workflow"}
    assert f"/ui/workflows/{workflow.id}" in (await site.ok(f"/executions/{workflow.execution_arn}")).text

    by_hand = await here.call(
        "StartExecution", stateMachineArn=here.state_machine(machine), name=str(uuid.uuid4()), input="{}"
    )
    assert await buttons(site, by_hand["executionArn"]) == {*RAW, "Commands"}
    text = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}'
    made = await here.call("CreateStateMachine", name=unique("other--one"), definition=text, roleArn=ROLE)
    namesake = await here.call("StartExecution", stateMachineArn=made["stateMachineArn"], name=workflow.id)
    assert await buttons(site, namesake["executionArn"]) == {*RAW, "Commands"}
    for arn in (by_hand["executionArn"], namesake["executionArn"]):
        await here.call("StopExecution", executionArn=arn)
    await manager.cancel_workflow(workflow.id, "the test is over")


async def test_an_execution_is_shown_while_the_store_does_not_answer(
    site: Site, manager: LocalManager, here: Account, monkeypatch: pytest.MonkeyPatch
):
    workflow = await running(manager, here)
    known = manager.store.workflow

    async def silent(_: str) -> Workflow:
        raise StoreUnavailableError("as the test says")

    monkeypatch.setattr(manager.store, "workflow", silent)
    assert not await buttons(site, workflow.execution_arn) & RAW
    monkeypatch.setattr(manager.store, "workflow", known)
    await manager.cancel_workflow(workflow.id, "the test is over")


async def test_what_is_denied_is_named_with_who_may_not_do_it(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    arn = manager.account.place.execution("machine", "one")
    async with visiting(manager) as site:
        proxy.answers["DescribeExecution"] = [refused("AccessDeniedException", "not your role") for _ in range(2)]
        for path in (f"/executions/{arn}", f"/executions/stop/of/{arn}"):
            page = await site(path)
            assert page.status == 403
            assert "AWS denies DescribeExecution" in page.words
            assert "not your role. AWS does not let this service call DescribeExecution: its role lacks" in page.words
            assert "`workers iam manager`" in page.words
            assert "does not answer" not in page.words


async def test_what_is_denied_to_an_action_is_said_beside_its_form(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    account, name = manager.account, unique("machine")
    text = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}'
    made = await account.call("CreateStateMachine", name=name, definition=text, roleArn=ROLE)
    started = await account.call("StartExecution", stateMachineArn=made["stateMachineArn"])
    async with visiting(manager) as site:
        proxy.answers["StopExecution"] = [refused("AccessDeniedException", "not your role")]
        page = await site.send(f"/executions/stop/of/{started['executionArn']}", reason="enough")
    assert page.status == 403
    assert "It was not done" in page.words
    assert "its role lacks the right" in page.words
    await account.call("StopExecution", executionArn=started["executionArn"])
