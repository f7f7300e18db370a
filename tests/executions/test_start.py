"""Starting executions and waiting for them, on the engine."""

import uuid
from pathlib import Path

import pytest

from tests.account import PREFIX, unique
from tests.executions.machines import ECHO, WAITS, fails, registered
from tests.proxy import Proxy, opened, refused
from workers import Registry, Worker
from workers.errors import UsageError
from workers.executions import ExecutionFailedError, Status, start_execution, stop_execution, wait_for_execution
from workers.executions.names import execution_arn
from workers.histories.progress import Progress
from workers.machines.registration.ensure import ensure_state_machine
from workers.payloads import Payloads
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError


async def test_an_execution_is_started_and_awaited(here: Account) -> None:
    machine = await registered(here, ECHO)
    seen: list[str] = []

    def watching(progress: Progress) -> None:
        seen.append(" ".join(f"{state.state} {state.outcome}" for state in progress.states.values()))

    done = await start_execution(machine.name, {"x": [1, None]}, wait=True, watching=watching, account=here)
    assert seen[-1] == "Echo succeeded"
    assert done.succeeded
    assert done.input == done.output == {"x": [1, None]}
    assert done.state_machine == machine.arn
    assert done.arn == f"{PREFIX}:execution:{machine.name}:{done.name}"
    assert uuid.UUID(done.name)
    assert done.seconds is not None
    assert done.failed_state is None
    assert done.raise_for_status() is done
    assert done.to_json()["status"] == "SUCCEEDED"


async def test_any_json_is_an_input(here: Account) -> None:
    machine = await registered(here, ECHO)
    for number, value in enumerate((None, 3, "text", [], {})):
        done = await start_execution(machine, value, name=f"named-{number}", wait=True, account=here)
        assert (done.input, done.output, done.name) == (value, value, f"named-{number}")


async def test_without_an_input_it_is_an_empty_object(here: Account) -> None:
    assert (await start_execution(await registered(here, ECHO), wait=True, account=here)).output == {}


async def test_it_can_be_started_now_and_awaited_later(here: Account) -> None:
    machine = await registered(here, WAITS)
    running = await start_execution(machine, {"x": 1}, account=here)
    assert (running.status, running.stopped, running.input) == (Status.RUNNING, None, {"x": 1})
    assert running.raise_for_status() is running
    await stop_execution(running, error="Enough", cause="said the test", account=here)
    done = await wait_for_execution(f"{machine.name}:{running.name}", account=here)
    assert (done.status, done.error, done.cause, done.failed_state) == (
        Status.ABORTED,
        "Enough",
        "said the test",
        "Wait",
    )
    with pytest.raises(ExecutionFailedError, match="ABORTED in state Wait: Enough: said the test"):
        done.raise_for_status()


async def test_a_failure_tells_where_and_why(account, here: Account) -> None:
    registry = Registry()
    activity = unique("check")

    @registry.activity(activity)
    async def check(order: str) -> str:
        raise ValueError(f"no order {order}")

    inner = {"start_at": "Inner", "states": {"Inner": {"type": "task", "resource": activity, "end": True}}}
    definition = {
        "start_at": "Both",
        "timeout_seconds": 60,
        "states": {"Both": {"type": "parallel", "branches": [inner], "end": True}},
    }
    machine = await registered(here, definition)
    async with Worker(registry):
        done = await start_execution(machine, {"order": "7"}, wait=True, account=here)
    assert (done.status, done.error, done.failed_state) == (Status.FAILED, "ValueError", "Inner")
    assert done.cause["errorMessage"] == done.message == "no order 7"
    assert "raise ValueError" in "".join(done.cause["stackTrace"])
    with pytest.raises(ExecutionFailedError, match=r"FAILED in state Inner: ValueError: no order 7$") as failed:
        done.raise_for_status()
    assert failed.value.execution is done


async def test_a_start_after_an_update_runs_the_version_that_was_published_for_it(here: Account) -> None:
    machine = await registered(here, ECHO)
    assert (await start_execution(machine, wait=True, account=here)).version is None

    updated = await ensure_state_machine(machine.name, fails("New"), account=here)
    done = await start_execution(updated, wait=True, account=here)
    assert (done.error, done.version) == ("New", f"{machine.arn}:1")

    published = await ensure_state_machine(machine.name, ECHO, alias="prod", account=here)
    assert (await start_execution(published, wait=True, account=here)).version == f"{machine.arn}:2"
    by_alias = await start_execution(f"{machine.name}:prod", wait=True, account=here)
    assert (by_alias.version, by_alias.alias) == (f"{machine.arn}:2", f"{machine.arn}:prod")
    by_version = await start_execution(f"{machine.name}:1", wait=True, account=here)
    assert (by_version.error, by_version.state_machine) == ("New", machine.arn)


async def test_a_machine_and_an_execution_that_are_too_young_to_be_known(proxy: Proxy, hasty) -> None:
    async with opened() as here:
        machine = await registered(here, ECHO)
        proxy.answers["StartExecution"] = [lambda _: refused("StateMachineDoesNotExist")] * 2
        proxy.answers["DescribeExecution"] = [lambda _: refused("ExecutionDoesNotExist")]
        assert (await start_execution(machine, wait=True, account=here)).succeeded
        proxy.answers["StartExecution"] = [lambda _: refused("StateMachineDoesNotExist")]
        with pytest.raises(RefusedError, match="StateMachineDoesNotExist"):
            await start_execution(machine.name, account=here)


async def test_a_start_whose_answer_was_lost_is_not_repeated(proxy: Proxy, hasty) -> None:
    async with opened() as here:
        machine = await registered(here, ECHO, publish=True)
        proxy.answers["StartExecution"] = [
            lambda _: refused("ServiceUnavailable", status=503),
            lambda _: refused("ExecutionAlreadyExists"),
        ]
        started = await start_execution(machine, {"x": 1}, account=here)
        sent = proxy.called("StartExecution")
        assert sent[0] == sent[1]
        assert started.arn == f"{PREFIX}:execution:{machine.name}:{sent[0]['name']}"
        assert started.state_machine == machine.arn

        proxy.answers["StartExecution"] = [lambda _: refused("ExecutionAlreadyExists")]
        with pytest.raises(RefusedError, match="ExecutionAlreadyExists"):
            await start_execution(machine, {"x": 1}, name="mine", account=here)


async def test_large_inputs_are_offloaded_and_outputs_reloaded(here: Account, tmp_path: Path) -> None:
    machine = await registered(here, ECHO)
    large = {"rows": ["x" * 1000] * 300}
    with pytest.raises(UsageError, match=r"the input has 300,\d+ bytes of JSON and AWS allows 262,144: give a payload"):
        await start_execution(machine, large, account=here)

    store = f"file://{tmp_path}"
    done = await start_execution(machine, large, wait=True, payloads=store, account=here)
    assert done.output == large
    assert "workers:claim" in str(done.input)
    async with Payloads(store) as payloads:
        assert (await start_execution(machine, large, wait=True, payloads=payloads, account=here)).output == large


async def test_a_trace_is_begun_or_continued(account, here: Account) -> None:
    machine = await registered(here, ECHO)
    done = await start_execution(machine, {"x": 1}, wait=True, traceparent=True, account=here)
    _, trace, span, flags = done.output["traceparent"].split("-")
    described = await account.client.describe_execution(executionArn=done.arn)
    assert (len(trace), len(span), flags) == (32, 16, "01")
    assert described["traceHeader"] == f"Root=1-{trace[:8]}-{trace[8:]};Parent={span};Sampled=1"

    given = f"00-{'ab' * 16}-{'cd' * 8}-00"
    assert (await start_execution(machine, wait=True, traceparent=given, account=here)).output == {"traceparent": given}
    with pytest.raises(UsageError, match="is no traceparent"):
        await start_execution(machine, traceparent="00-12-34-01", account=here)
    with pytest.raises(UsageError, match="must be an object"):
        await start_execution(machine, [1], traceparent=True, account=here)


async def test_express_executions_answer_when_they_have_ended(here: Account) -> None:
    machine = await registered(here, ECHO, express=True)
    started = await start_execution(machine, {"x": 1}, account=here)
    assert ":express:" in started.arn
    assert (await start_execution(machine, {"x": 1}, wait=True, account=here)).output == {"x": 1}
    failing = await registered(here, fails(), express=True)
    done = await start_execution(failing.name, wait=True, account=here)
    assert (done.status, done.error, done.cause, done.failed_state) == (
        Status.FAILED,
        "Boom",
        "as the test says",
        None,
    )


async def test_names_of_executions(account) -> None:
    async with opened(namespace="team") as here:
        assert execution_arn(here, "adder:one") == f"{PREFIX}:execution:team--adder:one"
        assert execution_arn(here, f"{PREFIX}:execution:adder:one") == f"{PREFIX}:execution:adder:one"
        for wrong in ("adder", ":one", "adder:", f"{PREFIX}:stateMachine:adder"):
            with pytest.raises(UsageError, match=r"names no execution|not the ARN of an execution"):
                execution_arn(here, wrong)
        with pytest.raises(UsageError, match="AWS refuses"):
            await start_execution("adder", name="no spaces please", account=here)


def test_a_cause_in_one_line() -> None:
    from datetime import UTC, datetime

    from workers.executions.execution import from_description

    def message(cause: str | None) -> str:
        common = {"executionArn": "a", "name": "n", "stateMachineArn": "m", "startDate": datetime.now(UTC)}
        return from_description({**common, "status": "FAILED", "cause": cause}).message

    assert message(None) == ""
    assert message("\none\ntwo") == "one"
    assert message('{"cut') == '{"cut'
    assert message('{"Own": 1}') == '{"Own": 1}'
    assert message('{"errorMessage": "said"}') == "said"
    assert len(message("x" * 1000)) == 501
