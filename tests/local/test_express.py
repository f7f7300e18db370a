"""Express state machines."""

from typing import Any

from tests.account import Account
from tests.local.helpers import PASS, WAIT, create_machine, refused


async def test_synchronously(client: Any):
    machine = await create_machine(client, PASS, type="EXPRESS")
    answer = await client.start_sync_execution(stateMachineArn=machine, name="name", input='{"x": 1}')
    assert answer["executionArn"].startswith(machine.replace(":stateMachine:", ":express:") + ":name:")
    assert (answer["status"], answer["input"], answer["output"]) == ("SUCCEEDED", '{"x": 1}', '{"x": 1}')
    assert answer["startDate"] <= answer["stopDate"]
    billed = answer["billingDetails"]["billedDurationInMilliseconds"]
    assert billed >= 100
    assert billed % 100 == 0


async def test_failures_and_timeouts_are_answers(client: Any):
    fail = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Own", "Cause": "so"}}}
    answer = await client.start_sync_execution(stateMachineArn=await create_machine(client, fail, type="EXPRESS"))
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "Own", "so")
    slow = await create_machine(client, {**WAIT, "TimeoutSeconds": 1}, type="EXPRESS")
    assert (await client.start_sync_execution(stateMachineArn=slow))["status"] == "TIMED_OUT"


async def test_names_need_not_be_unique(client: Any):
    machine = await create_machine(client, PASS, type="EXPRESS")
    arns = {(await client.start_execution(stateMachineArn=machine, name="same"))["executionArn"] for _ in range(3)}
    assert len(arns) == 3


async def test_what_express_executions_have_not(client: Any):
    machine = await create_machine(client, PASS, type="EXPRESS")
    execution = (await client.start_execution(stateMachineArn=machine))["executionArn"]
    for call in (client.describe_execution, client.get_execution_history, client.stop_execution):
        async with refused("InvalidArn") as error:
            await call(executionArn=execution)
        assert "Resource type not valid in this context: express" in str(error.value)
    async with refused("StateMachineTypeNotSupported"):
        await client.list_executions(stateMachineArn=machine)


async def test_standard_machines_do_not_run_synchronously(client: Any):
    machine = await create_machine(client, PASS)
    async with refused("StateMachineTypeNotSupported") as error:
        await client.start_sync_execution(stateMachineArn=machine)
    assert str(error.value).endswith("This operation is not supported by this type of state machine")


async def test_a_machine_in_a_machine(account: Account):
    """A task that runs another machine and waits for it, through the same port."""
    add = {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($.a, $.b)"}, "End": True}
    inner = await create_machine(account.client, {"StartAt": "Add", "States": {"Add": add}})
    outer = {
        "StartAt": "Run",
        "States": {
            "Run": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Parameters": {"StateMachineArn": inner, "Input": {"a.$": "$.a", "b": 2}},
                "OutputPath": "$.Output",
                "End": True,
            }
        },
    }
    assert await account.output(outer, {"a": 40}) == {"sum": 42}
    assert len((await account.client.list_executions(stateMachineArn=inner))["executions"]) == 1
