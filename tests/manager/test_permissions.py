"""What a manager asks of AWS is what `workers iam manager` allows: every call of a whole life, against its policy."""

from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.session import get_session

from tests.account import unique
from workers.arns import Place
from workers.callbacks.resources import create_queues, open_sqs
from workers.iam import manager_policy
from workers.local import LocalStepFunctions
from workers.manager.client import Client
from workers.manager.events.queue import EventQueue
from workers.manager.model import Query, Workflow
from workers.manager.opening import Service, open_service
from workers.manager.requests import NewWorkflowDefinition
from workers.settings import Settings
from workers.stepfunctions.connection import Connection
from workers.web.beside import pages_beside

PLACE = Place("aws", "us-east-1", "123456789012")
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
_SERVICES = {"sfn": "states"}
MACHINE = {
    "StartAt": "look",
    "States": {
        "look": {"Type": "Pass", "Next": "wait"},
        "wait": {"Type": "Task", "Resource": "somebody", "TimeoutSeconds": 600, "HeartbeatSeconds": 60, "Next": "fail"},
        "fail": {"Type": "Fail", "Error": "No"},
    },
}
DISTRIBUTED = {
    "StartAt": "each",
    "States": {
        "each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "one",
                "States": {"one": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}
FAILS = {"StartAt": "fail", "States": {"fail": {"Type": "Fail", "Error": "No"}}}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """The parameters of each action of each service that was asked of AWS."""
    found: dict[str, list[Any]] = defaultdict(list)
    real = AioBaseClient._make_api_call

    async def recorded(client: Any, operation: str, parameters: Any) -> Any:
        service = client.meta.service_model.service_id.lower()
        if operation == "TransactWriteItems":
            for part in parameters["TransactItems"]:
                for kind, given in part.items():
                    found[f"dynamodb:{_PARTS[kind]}"].append(given)
        else:
            found[f"{_SERVICES.get(service, service)}:{operation}"].append(parameters)
        return await real(client, operation, parameters)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", recorded)
    return found


async def until(manager: Client, workflow_id: str, *statuses: str) -> Workflow:
    with anyio.fail_after(30):
        while (found := await manager.workflow(workflow_id)).status not in statuses:
            await anyio.sleep(0.1)
    return found


async def test_every_call_of_a_manager_is_allowed_and_no_action_is_superfluous(
    called: dict[str, list[Any]], engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    prefix, namespace = unique("manager"), unique("prod")
    async with open_sqs(Connection(get_session(), engine.url)) as sqs:
        await create_queues(sqs, f"{prefix}-events", visibility=30)
    called.clear()
    service = Service(
        port=0,
        database=f"dynamodb://{prefix}",
        create_role=True,
        payloads=f"file://{tmp_path}",
        callbacks=f"{namespace}--shop",
        events=EventQueue(f"{prefix}-events"),
        tokens=("secret-of-the-test",),
    )
    async with (
        open_service(service, Settings(client="botocore")) as url,
        Client(url, token="secret-of-the-test") as manager,
    ):
        await live(manager, namespace)
    policy = manager_policy(
        place=PLACE,
        database=service.database,
        namespace=namespace,
        events=f"{prefix}-events",
        callbacks=service.callbacks,
    )
    allowed: dict[str, list[str]] = defaultdict(list)
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            allowed[action] += statement["Resource"]
    assert set(called) - {"sts:GetCallerIdentity"} <= set(allowed)
    for action, calls in called.items():
        for parameters in calls:
            named = parameters.get("stateMachineArn") or parameters.get("executionArn") or parameters.get("resourceArn")
            if named:
                assert any(fnmatch(named, pattern) for pattern in allowed[action]), f"{action} {named}"
            if table := parameters.get("TableName"):
                arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}"
                assert any(fnmatch(arn, pattern) for pattern in allowed[action]), f"{action} {table}"
    paged = {action for one in policy["Statement"] if one["Sid"].startswith("Page") for action in one["Action"]}
    never = allowed.keys() - called.keys() - paged
    seldom = {
        "iam:DeleteRolePolicy", "iam:PassRole", "iam:PutRolePolicy", "states:TagResource", "states:UpdateStateMachine",
        "states:ListTagsForResource", "states:ListExecutions",
        "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
        "sqs:DeleteMessage", "states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess",
        # --check-sync looks at rules and patterns: tests/test_iam.py
        "events:DescribeRule", "events:ListRuleNamesByTarget", "events:TestEventPattern",
    }  # fmt: skip
    assert never <= seldom


async def test_every_page_of_a_manager_asks_only_for_what_is_allowed(
    called: dict[str, list[Any]], engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch
):
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    namespace = unique("prod")
    service = Service(port=0, database="sqlite://", create_role=True)
    async with (
        open_service(service, Settings(client="botocore"), around=pages_beside) as url,
        Client(url) as manager,
        aiohttp.ClientSession() as http,
    ):
        await manager.create_definition(NewWorkflowDefinition(name="each", state_machine=DISTRIBUTED))
        started = await manager.start_workflow("each", {"items": [1, 2]}, namespace=namespace)
        found = await until(manager, started.id, "succeeded")
        assert found.execution_arn
        machine = found.execution_arn.split(":")[6]
        called.clear()
        for page in (
            "", "workflows", "executions", "definitions", "definitions/each", "machines", f"machines/{machine}",
            "workers", f"workflows/{found.id}", f"executions/{found.execution_arn}",
            f"executions/{found.execution_arn}?tab=items",
        ):  # fmt: skip
            async with http.get(f"{url}/ui/{page}") as answer:
                assert answer.status == 200, page
    policy = manager_policy(place=PLACE, namespace=namespace)
    allowed = {(action, arn) for one in policy["Statement"] for action in one["Action"] for arn in one["Resource"]}
    page_only = {action for one in policy["Statement"] if one["Sid"].startswith("Page") for action in one["Action"]}
    assert page_only <= set(called)
    for action, calls in called.items():
        for parameters in calls:
            named = [value for name, value in parameters.items() if name.endswith("Arn")] or ["*"]
            if namespace in named[0] or named == ["*"]:  # others share the engine
                assert any(action == one and fnmatch(named[0], arn) for one, arn in allowed), f"{action} {named}"


async def live(manager: Client, namespace: str) -> None:
    """What people do with workflows."""
    for name, machine in {"waits": MACHINE, "fails": FAILS}.items():
        await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=machine))
    waiting = await manager.start_workflow("waits", {"n": 1}, namespace=namespace, idempotency_key="once")
    await until(manager, waiting.id, "running")
    await manager.workflow(waiting.id, history=True)
    await manager.cancel_workflow(waiting.id, "enough")
    await until(manager, waiting.id, "cancelled")
    failed = await manager.start_workflow("fails", {}, namespace=namespace)
    await until(manager, failed.id, "failed")
    await manager.redrive_workflow(failed.id)
    await until(manager, failed.id, "failed")
    await manager.resume_workflow(waiting.id, "wait")
    await manager.resolve_workflow(failed.id)
    assert (await manager.workflows(Query(limit=10))).items
    assert [count.status for count in await manager.counts()]
