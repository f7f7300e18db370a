"""Status changes from the engine, and messages as no engine sends them. Numbers are those of the acceptance tests."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.account import unique
from tests.executions.machines import ECHO, WAITS, fails
from tests.manager.events.conftest import Post, body_of
from tests.manager.store.workflows import made
from tests.manager.sync.conftest import House
from tests.proxy import Proxy
from workers.executions.control import stop_execution
from workers.manager.errors import StoreUnavailableError
from workers.manager.events.queue import EventQueue, open_queue
from workers.manager.events.receiver import Receiver
from workers.manager.model import Launch, Status, Workflow
from workers.manager.store.choice import open_store
from workers.manager.store.sql import database
from workers.payloads.together import background


def event(workflow: Workflow, status: str, **fields: Any) -> str:
    detail = {
        "executionArn": workflow.execution_arn,
        "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:machine",
        "name": workflow.id,
        "status": status,
        "startDate": 1_700_000_000_000,
        "stopDate": None if status == "RUNNING" else 1_700_000_001_000,
        **fields,
    }
    return json.dumps(body_of(detail))


async def test_group_45_the_messages_of_what_has_ended_are_deleted(house: House, post: Post, proxy: Proxy):
    await house.machine(ECHO)
    await house.machine(fails(), "broken")
    await house.machine(WAITS, "stopped")
    async with background() as group:
        group.start_soon(post.receiver.run)
        good = await house.started(input='{"a": 1}')
        bad, stopped = [await house.started(queue) for queue in ("broken", "stopped")]
        assert stopped.execution_arn
        await stop_execution(stopped.execution_arn, cause="enough", account=house.account)
        found = await house.until(good, Status.SUCCEEDED, by=post.left)
        assert found.output is not None
        assert (json.loads(found.output)["a"], found.resolved_by_user, found.launch) == (1, True, Launch.STARTED)
        found = await house.until(bad, Status.FAILED, by=post.left)
        assert found.status_reason == "as the test says\nBoom"
        found = await house.until(stopped, Status.CANCELLED, by=post.left)
        assert (found.status_reason, found.resolved_by_user) == ("enough", True)
        await post.empty()
    assert house.puzzled == [bad.id]  # in which job it failed, no event tells
    assert len(house.ended) == 3
    assert proxy.called("DescribeExecution") == proxy.called("ListExecutions") == []
    assert post.heard["news"] >= 3


async def test_group_46_what_still_runs_is_looked_at_again(house: House, post: Post):
    await house.machine(WAITS)
    kept = await house.started()
    await post.send(event(kept, "RUNNING"))
    while await post.left():  # Step Functions' own event of its beginning may come a little later
        await post.take()
    assert (await house.store.workflow(kept.id)).status is Status.RUNNING
    assert kept.execution_arn
    await stop_execution(kept.execution_arn, account=house.account)
    await house.until(kept, Status.CANCELLED, by=house.look)  # the event of its end was never read


async def test_group_47_a_message_comes_again_when_the_store_does_not_answer(
    house: House, post: Post, url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "_WAIT", 0.1)
    await house.machine(WAITS)
    kept = await house.started()
    await post.send(event(kept, "SUCCEEDED", output="{}"))
    other = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
    async with open_store(url) as impatient:
        post.receiver._recorder._store = impatient
        other.execute("BEGIN IMMEDIATE")
        answer = await post.queue.sqs.receive_message(QueueUrl=post.queue.url, MaxNumberOfMessages=10)
        with pytest.raises(StoreUnavailableError):
            await post.receiver.take(answer["Messages"])
        other.execute("ROLLBACK")
        other.close()
        assert await post.left()
        for message in answer["Messages"]:  # as if half a minute had passed
            await post.queue.sqs.change_message_visibility(
                QueueUrl=post.queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        await house.until(kept, Status.SUCCEEDED, by=post.take)


async def test_doubled_late_and_disordered_messages_are_harmless(house: House, post: Post):
    await house.machine(WAITS)
    kept = await house.started()

    async def status_after(*bodies: str) -> tuple[Status, int]:
        await post.send(*bodies)
        await post.take()
        found = await house.store.workflow(kept.id)
        return found.status, found.redrive_count

    assert await status_after(event(kept, "FAILED", error="Boom")) == (Status.FAILED, 0)
    assert await status_after(event(kept, "RUNNING")) == (Status.FAILED, 0)
    assert await status_after(event(kept, "FAILED", error="Boom"), event(kept, "RUNNING")) == (Status.FAILED, 0)
    assert await status_after(event(kept, "RUNNING", redriveCount=1)) == (Status.RUNNING, 1)
    assert await status_after(event(kept, "FAILED", error="Boom")) == (Status.RUNNING, 1)
    last = event(kept, "SUCCEEDED", redriveCount=1, output="1")
    assert await status_after(last, event(kept, "RUNNING", redriveCount=1), last) == (Status.SUCCEEDED, 1)
    found = await house.store.workflow(kept.id)
    assert (found.output, found.status_reason, found.last_job) == ("1", None, None)
    assert [one.status for one in house.ended] == [Status.FAILED, Status.SUCCEEDED]


async def test_executions_of_others_are_passed_over(house: House, post: Post):
    await house.machine(WAITS)
    kept = await house.started()
    other = kept.model_copy(update={"execution_arn": str(kept.execution_arn).replace("machine", "another")})
    stranger = kept.model_copy(update={"id": unique("stranger")})
    await post.send(event(other, "FAILED"), event(stranger, "FAILED"))
    await post.take()
    assert (await house.store.workflow(kept.id)).status is Status.QUEUED
    assert not await post.left()


async def test_an_event_may_come_before_its_start_is_written_down(house: House, post: Post):
    """Whoever started it died just then. A nested execution may have the same name, and is another one."""
    kept = await house.store.save_workflow(made(house.definition, namespace="prod"))
    place = house.account.place
    for machine, status in (("nested", Status.QUEUED), ("prod--greeting--0--Greet", Status.RUNNING)):
        arn = place.execution(machine, kept.id)
        await post.send(event(kept.model_copy(update={"execution_arn": arn}), "RUNNING"))
        await post.take()
        found = await house.store.workflow(kept.id)
        assert found.status is status
    assert (found.execution_arn, found.launch) == (arn, Launch.STARTED)


async def test_what_nobody_understands_goes_to_the_dead_letters(house: House, post: Post):
    await post.send("what?", json.dumps({"source": "aws.ec2"}))
    await post.take()
    assert await post.left() == 2
    assert post.heard == {"news": 0, "known": 0, "strange": 2}


async def test_without_a_dead_letter_queue_it_is_deleted(house: House, post: Post):
    name = unique("plain")
    await post.queue.sqs.create_queue(QueueName=name)
    async with open_queue(house.account, EventQueue(name)) as queue:
        plain = Post(queue, house)
        await plain.send("what?")
        await plain.take()
        assert not await plain.left()
        assert plain.heard["strange"] == 1


async def test_several_services_share_a_queue(house: House, post: Post):
    await house.machine(ECHO)
    second = Receiver(post.queue, house.store, house.recorder, post._count)
    async with background() as group:
        group.start_soon(post.receiver.run)
        group.start_soon(second.run)
        kept = [await house.started() for _ in range(10)]
        for workflow in kept:
            await house.until(workflow, Status.SUCCEEDED, by=post.left)
        await post.empty()
    assert sorted(one.id for one in house.ended) == sorted(one.id for one in kept)
