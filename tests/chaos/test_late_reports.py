"""A result that waits for Step Functions to take it: its task must not time out meanwhile."""

import anyio

from tests.account import Account, unique
from tests.chaos.conftest import Engine
from tests.chaos.faults import Fault, always, no_faults
from tests.chaos.load import Load, recovering
from tests.chaos.proxy import proxy_to
from tests.processes import workers

HEARTBEAT_SECONDS = 2


async def test_heartbeats_go_on_until_the_report_is_taken(account: Account, engine: Engine) -> None:
    namespace = unique("late")
    load = await Load.of(account, recovering(f"{namespace}--work", heartbeat=HEARTBEAT_SECONDS))
    async with proxy_to(engine.url, faults=always("SendTaskSuccess", Fault.SERVER_ERROR)) as proxy:
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json")
        aws = engine.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:echo", *options, environment=aws) as worker:
            await load.start_one(1)
            await worker.says("report not delivered")
            await anyio.sleep(2 * HEARTBEAT_SECONDS)
            proxy.faults = no_faults
            await load.ended()
    assert await load.statuses() == {"SUCCEEDED": 1}
    assert (await load.events())["ActivityTimedOut"] == 0
    assert not proxy.record.contradictions()
