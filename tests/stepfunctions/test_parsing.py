"""Answers are read as botocore alone reads them, but for the zone of their times."""

import json

from aiobotocore.session import get_session

from tests.account import SESSION, Account
from workers.local import LocalStepFunctions
from workers.stepfunctions.parsing import read_faster


async def test_histories_and_lists_of_executions_are_the_same(account: Account, engine: LocalStepFunctions) -> None:
    passes = {"Type": "Pass", "Result": {"y": [2]}, "End": True}
    execution = await account.start({"StartAt": "Pass", "States": {"Pass": passes}}, {"x": [1, "é"]})
    await account.ended(execution)
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    read_faster(session := get_session())
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    found = []
    for one in (SESSION, session):
        async with one.create_client("stepfunctions", endpoint_url=engine.url, **keys) as client:
            history = await client.get_execution_history(executionArn=execution, maxResults=3)
            described = await client.describe_execution(executionArn=execution)
            listed = await client.list_executions(stateMachineArn=machine)
        del history["ResponseMetadata"], described["ResponseMetadata"], listed["ResponseMetadata"]
        found.append((history, described, listed))
    assert found[0] == found[1]
    assert found[0][0]["events"][0]["type"] == "ExecutionStarted"
    assert [item["executionArn"] for item in found[1][2]["executions"]] == [execution]
    assert json.loads(found[1][1]["input"]) == {"x": [1, "é"]}
