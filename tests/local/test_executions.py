"""StartExecution, DescribeExecution, ListExecutions."""

import json
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import PASS, SESSION, WAIT, Activity, connect, create_machine, refused
from workers.local import LocalStepFunctions


async def test_describe(account: Account):
    machine = await create_machine(account.client, PASS)
    started = await account.client.start_execution(stateMachineArn=machine, name="first", input='{"x": "é"}')
    found = await account.ended(started["executionArn"])
    del found["ResponseMetadata"]
    assert found.pop("startDate") == started["startDate"] <= found.pop("stopDate")
    assert found == {
        "executionArn": machine.replace(":stateMachine:", ":execution:") + ":first",
        "stateMachineArn": machine,
        "name": "first",
        "status": "SUCCEEDED",
        "input": '{"x": "é"}',
        "inputDetails": {"included": True},
        "output": '{"x": "é"}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


async def test_the_machine_of_an_execution(account: Account):
    machine = await create_machine(account.client, PASS)
    started = await account.client.start_execution(stateMachineArn=machine)
    await account.client.update_state_machine(stateMachineArn=machine, definition=json.dumps(WAIT))
    found = await account.client.describe_state_machine_for_execution(executionArn=started["executionArn"])
    assert json.loads(found["definition"]) == PASS
    assert found["stateMachineArn"] == machine


async def test_names_are_idempotent_as_long_as_an_execution_runs(client: Any, account: Account):
    machine = await create_machine(client, WAIT)
    first = await client.start_execution(stateMachineArn=machine, name="name", input='{"x": 1}')
    again = await client.start_execution(stateMachineArn=machine, name="name", input='{"x": 1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    async with refused("ExecutionAlreadyExists") as error:
        await client.start_execution(stateMachineArn=machine, name="name", input='{"x": 2}')
    assert str(error.value).endswith(f"Execution Already Exists: '{first['executionArn']}'")
    await client.stop_execution(executionArn=first["executionArn"])
    async with refused("ExecutionAlreadyExists"):
        await client.start_execution(stateMachineArn=machine, name="name", input='{"x": 1}')
    assert len((await client.list_executions(stateMachineArn=machine))["executions"]) == 1


async def test_an_execution_without_name_and_input(account: Account):
    machine = await create_machine(account.client, PASS)
    arns = [(await account.client.start_execution(stateMachineArn=machine))["executionArn"] for _ in range(2)]
    assert len(set(arns)) == 2
    assert (await account.ended(arns[0]))["input"] == "{}"


@pytest.mark.parametrize("text", ["", "nonsense", "{'a': 1}", "{", "[" * 100_000])
async def test_inputs_that_are_not_json(client: Any, text: str):
    machine = await create_machine(client, PASS)
    async with refused("InvalidExecutionInput") as error:
        await client.start_execution(stateMachineArn=machine, input=text)
    assert "Invalid State Machine Execution Input: '" in str(error.value)


@pytest.mark.parametrize("text", ["null", "0", '"text"', "[]", "true", "1.5"])
async def test_inputs_that_are_any_json(account: Account, text: str):
    assert await account.output(PASS, json.loads(text)) == json.loads(text)


async def test_names_and_arns_that_are_refused(client: Any):
    machine = await create_machine(client, PASS)
    async with refused("InvalidName"):
        await client.start_execution(stateMachineArn=machine, name="a b")
    async with refused("StateMachineDoesNotExist"):
        await client.start_execution(stateMachineArn=machine + "x")
    async with refused("InvalidArn"):
        await client.start_execution(stateMachineArn=machine.replace(":stateMachine:", ":activity:"))
    async with refused("StateMachineDoesNotExist"):
        await client.start_execution(stateMachineArn=f"{machine}:7")


async def test_list_by_status(client: Any, activity: Activity, account: Account):
    machine = await create_machine(client, activity.machine())
    started = [
        (await client.start_execution(stateMachineArn=machine, name=f"n{n}", input=str(n)))["executionArn"]
        for n in range(4)
    ]
    by_number = {value: token for token, value in [await activity.task() for _ in range(4)]}
    await activity.succeed(by_number[0])
    await activity.fail(by_number[1])
    await client.stop_execution(executionArn=started[2])
    for execution in started[:3]:
        await account.ended(execution)
    for status, name in (("SUCCEEDED", "n0"), ("FAILED", "n1"), ("ABORTED", "n2"), ("RUNNING", "n3")):
        listed = await client.list_executions(stateMachineArn=machine, statusFilter=status)
        assert [execution["name"] for execution in listed["executions"]] == [name]
        assert ("stopDate" in listed["executions"][0]) == (status != "RUNNING")
    assert (await client.list_executions(stateMachineArn=machine, statusFilter="TIMED_OUT"))["executions"] == []
    everything = (await client.list_executions(stateMachineArn=machine))["executions"]
    assert [execution["name"] for execution in everything] == ["n3", "n2", "n1", "n0"]  # the newest first
    await activity.succeed(by_number[3])


async def test_list_in_pages_while_executions_start(client: Any):
    machine = await create_machine(client, PASS)
    for number in range(12):
        await client.start_execution(stateMachineArn=machine, name=f"n{number}")
    names, token = [], {}
    while True:
        page = await client.list_executions(stateMachineArn=machine, maxResults=5, **token)
        names.append([execution["name"] for execution in page["executions"]])
        await client.start_execution(stateMachineArn=machine)
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == [["n11", "n10", "n9", "n8", "n7"], ["n6", "n5", "n4", "n3", "n2"], ["n1", "n0"]]


async def test_lists_that_are_refused(client: Any):
    async with refused("ValidationException"):
        await client.list_executions()
    machine = await create_machine(client, PASS)
    async with refused("ValidationException") as error:
        await client.list_executions(stateMachineArn=machine, statusFilter="succeeded")
    assert "Value 'succeeded' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum" in str(
        error.value
    )
    async with refused("ValidationException"):
        await client.list_executions(stateMachineArn=machine, maxResults=1001)
    async with refused("StateMachineDoesNotExist"):
        await client.list_executions(stateMachineArn=machine + "x")


async def test_a_machine_deleted_while_its_execution_runs(client: Any, activity: Activity, account: Account):
    machine = await create_machine(client, activity.machine())
    started = await client.start_execution(stateMachineArn=machine)
    await client.delete_state_machine(stateMachineArn=machine)
    await client.delete_state_machine(stateMachineArn=machine)
    async with refused("StateMachineDoesNotExist"):
        await client.start_execution(stateMachineArn=machine)
    token, _ = await activity.task()
    await activity.succeed(token, "done")
    assert (await account.ended(started["executionArn"]))["output"] == '"done"'


async def test_an_execution_counts_once_however_often_it_is_redriven():
    async with LocalStepFunctions(keep=3) as local, connect(local) as client:
        account = Account(client)
        machine = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail"}}}
        first = (await account.run(PASS))["executionArn"]
        failed = (await account.run(machine))["executionArn"]
        for count in range(1, 4):
            await client.redrive_execution(executionArn=failed)
            assert (await account.ended(failed))["redriveCount"] == count
        assert (await account.ended(first))["status"] == "SUCCEEDED"


async def test_finished_executions_are_forgotten():
    async with LocalStepFunctions(keep=3) as local, connect(local) as client:
        account = Account(client)
        activity = Activity(client)
        await client.create_activity(name=activity.name)
        running = await account.start(activity.machine())
        token, _ = await activity.task()
        machine = await create_machine(client, PASS)
        for number in range(6):
            started = await client.start_execution(stateMachineArn=machine, name=f"n{number}")
            await account.ended(started["executionArn"])
        listed = (await client.list_executions(stateMachineArn=machine))["executions"]
        assert [execution["name"] for execution in listed] == ["n5", "n4", "n3"]
        async with refused("ExecutionDoesNotExist"):
            await client.describe_execution(executionArn=started["executionArn"].replace(":n5", ":n1"))
        await client.start_execution(stateMachineArn=machine, name="n0")  # the name is free again
        await activity.succeed(token)  # what runs is never forgotten
        assert (await account.ended(running))["status"] == "SUCCEEDED"
        for _ in range(3):
            await account.run(PASS)
        async with refused("TaskDoesNotExist"):
            await activity.succeed(token)


async def test_machines_are_idempotent(client: Any):
    name = unique("machine")
    options = {"name": name, "roleArn": "arn:aws:iam::123456789012:role/one", "definition": json.dumps(PASS)}
    made = await client.create_state_machine(**options)
    again = await client.create_state_machine(**{**options, "roleArn": "arn:aws:iam::123456789012:role/two"})
    assert (again["stateMachineArn"], again["creationDate"]) == (made["stateMachineArn"], made["creationDate"])
    described = await client.describe_state_machine(stateMachineArn=made["stateMachineArn"])
    assert described["roleArn"] == "arn:aws:iam::123456789012:role/one"
    for changed in ({"definition": json.dumps(PASS, indent=1)}, {"type": "EXPRESS"}):
        async with refused("StateMachineAlreadyExists") as error:
            await client.create_state_machine(**{**options, **changed})
        assert str(error.value).endswith(f"State Machine Already Exists: '{made['stateMachineArn']}'")
    async with refused("InvalidName"):
        await client.create_state_machine(**{**options, "name": "a b"})
    async with refused("InvalidArn"):
        await client.create_state_machine(**{**options, "name": unique("other"), "roleArn": "nonsense"})


async def test_without_data(client: Any, account: Account):
    execution = (await account.run(PASS, {"secret": 1}))["executionArn"]
    without = {"includedData": "METADATA_ONLY"}
    described = await client.describe_execution(executionArn=execution, **without)
    assert described["status"] == "SUCCEEDED"
    assert "secret" not in str(described)
    of_execution = await client.describe_state_machine_for_execution(executionArn=execution, **without)
    machine = await client.describe_state_machine(stateMachineArn=described["stateMachineArn"], **without)
    assert (machine["definition"], of_execution["definition"]) == ("{}", "{}")


async def test_machines_are_listed_by_name(patient: Any):
    for name in ("b", "a", "c"):
        await create_machine(patient, PASS, name)
    names = [machine["name"][0] for machine in (await patient.list_state_machines())["stateMachines"]]
    assert names == ["a", "b", "c"]


async def test_updates(client: Any, account: Account):
    machine = await create_machine(client, PASS)
    assert "revisionId" not in await client.describe_state_machine(stateMachineArn=machine)
    changed = {"StartAt": "New", "States": {"New": {"Type": "Pass", "Result": "new", "End": True}}}
    updated = await client.update_state_machine(stateMachineArn=machine, definition=json.dumps(changed))
    described = await client.describe_state_machine(stateMachineArn=machine)
    assert described["revisionId"] == updated["revisionId"]
    assert json.loads(described["definition"]) == changed
    started = await client.start_execution(stateMachineArn=machine)
    assert (await account.ended(started["executionArn"]))["output"] == '"new"'
    same = await client.update_state_machine(stateMachineArn=machine, definition=json.dumps(changed))
    assert "revisionId" not in same
    async with refused("MissingRequiredParameter"):
        await client.update_state_machine(stateMachineArn=machine)
    async with refused("InvalidDefinition"):
        await client.update_state_machine(stateMachineArn=machine, definition="{}")


async def test_tags(client: Any, activity: Activity):
    machine = await create_machine(client, PASS, tags=[{"key": "team", "value": "a"}])
    for arn in (machine, activity.arn):
        await client.tag_resource(resourceArn=arn, tags=[{"key": "cost", "value": "1"}, {"key": "gone", "value": ""}])
        await client.untag_resource(resourceArn=arn, tagKeys=["gone", "never"])
    tags = (await client.list_tags_for_resource(resourceArn=machine))["tags"]
    assert tags == [{"key": "team", "value": "a"}, {"key": "cost", "value": "1"}]
    async with refused("ResourceNotFound"):
        await client.list_tags_for_resource(resourceArn=machine + "x")
    async with refused("TooManyTags"):
        await client.tag_resource(resourceArn=machine, tags=[{"key": str(n), "value": ""} for n in range(50)])


async def test_regions_know_nothing_of_each_other(engine: LocalStepFunctions):
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "endpoint_url": engine.url}
    async with (
        SESSION.create_client("stepfunctions", region_name="eu-west-1", **keys) as europe,
        SESSION.create_client("stepfunctions", region_name="cn-north-1", **keys) as china,
    ):
        arn = (await europe.create_activity(name="here"))["activityArn"]
        assert arn == "arn:aws:states:eu-west-1:123456789012:activity:here"
        assert (await china.list_activities())["activities"] == []
        made = await china.create_activity(name="there")
        assert made["activityArn"] == "arn:aws-cn:states:cn-north-1:123456789012:activity:there"
