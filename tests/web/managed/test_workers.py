"""Workers: who takes tasks, and what their own health ports tell."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import pytest

from tests.account import unique
from tests.manager.conftest import activities, defined, until
from tests.supervisor.outside.standins import Name, Run, Standing
from tests.web.managed.conftest import XSS, visiting
from workers.manager.manager import LocalManager
from workers.metrics import Metrics
from workers.stepfunctions.account import Account
from workers.supervisor.outside.health import Health
from workers.supervisor.outside.watchdog import Watchdog
from workers.web.workers.health import ask


@asynccontextmanager
async def health(**status: Any) -> AsyncIterator[str]:
    """The address of the health port of a worker that stands so."""
    standing, metrics = Standing(**status), Metrics()
    async with (
        Watchdog(standing, metrics) as watchdog,
        Health(port=0, host="127.0.0.1", status=standing, metrics=metrics, watchdog=watchdog) as opened,
    ):
        yield f"http://127.0.0.1:{opened.port}"


@pytest.fixture(autouse=True)
def stop_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.supervisor.outside.health._STOP_WITHIN", 0.02)


async def test_health_ports_tell_what_workers_do_and_what_keeps_them_from_it(manager: LocalManager):
    running = [Run(activity=Name("weigh")), Run(activity=Name(XSS))]
    problem = f"it does not exist {XSS}"
    async with (
        health(worker="host-1", running=running) as fine,
        health(worker="host-2", phase="draining") as drains,
        health(worker="host-3", problems={"pack": problem}) as hindered,
    ):
        told = await ask([fine, drains, hindered, fine])
        async with visiting(manager, health=(fine, drains, hindered)) as site:
            text = (await site.ok("/workers")).text.partition('id="health"')[2]
    assert [(one.worker, one.phase, one.ready) for one in told] == [
        ("host-1", "running", True),
        ("host-2", "draining", False),
        ("host-3", "running", False),
    ]
    assert [task["activity"] for task in told[0].tasks] == ["weigh", XSS]
    assert told[2].problems == {"pack": problem}
    assert "<img" not in text
    rows = [unescape(re.sub(r"<[^>]*>", " ", row)).split() for row in text.split("<tr>")[2:]]
    shown = [" ".join(row) for row in rows]
    assert re.fullmatch(rf"host-1 {fine} ready weigh .*s {re.escape(XSS)} .*s", shown[0].removesuffix(" "))
    assert shown[1] == f"host-2 {drains} draining none"
    assert shown[2].startswith(f"host-3 {hindered} running none pack {problem}")


async def test_an_activity_names_the_workers_that_took_its_tasks(manager: LocalManager, here: Account):
    name = unique("step")
    await activities(here, name)
    task = {"Type": "Task", "Resource": name, "TimeoutSeconds": 60, "HeartbeatSeconds": 30, "End": True}
    definition = await defined(manager, {"StartAt": "S", "States": {"S": task}})
    workflow = await until(manager, await manager.start_workflow(definition.name), "running")
    taken = await here.call("GetActivityTask", activityArn=here.activity(name), workerName="host-7")
    assert taken["taskToken"]
    async with visiting(manager) as site:
        row = (await site.ok("/workers")).text.partition(f'id="a-{here.activity(name)}"')[2].partition("</tr>")[0]
    (worker,) = re.findall(r'<div class="worker"><span class="mono">([^<]*)</span>', row)
    assert worker == "host-7"
    await manager.cancel_workflow(workflow.id, "the test is over")
