"""Answers are read as botocore alone reads them, but for the zone of their times."""

import json

from aiobotocore.session import get_session

from tests.account import SESSION, Account
from workers.local import LocalStepFunctions
from workers.stepfunctions.parsing import read_faster


async def test_a_history_is_the_same(account: Account, engine: LocalStepFunctions) -> None:
    passes = {"Type": "Pass", "Result": {"y": [2]}, "End": True}
    execution = await account.start({"StartAt": "Pass", "States": {"Pass": passes}}, {"x": [1, "é"]})
    await account.ended(execution)
    read_faster(session := get_session())
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    found = []
    for one in (SESSION, session):
        async with one.create_client("stepfunctions", endpoint_url=engine.url, **keys) as client:
            history = await client.get_execution_history(executionArn=execution, maxResults=3)
            described = await client.describe_execution(executionArn=execution)
        del history["ResponseMetadata"], described["ResponseMetadata"]
        found.append((history, described))
    assert found[0] == found[1]
    assert found[0][0]["events"][0]["type"] == "ExecutionStarted"
    assert json.loads(found[1][1]["input"]) == {"x": [1, "é"]}
