"""What AWS does not let the service do: told with the action and the resource, and in no way that asks to try again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.manager.api.conftest import Said, asking
from tests.manager.conftest import PASSES, WAITS, defined, ended
from tests.proxy import Proxy, refused
from workers.manager.client import Client
from workers.manager.errors import AwsDeniedError
from workers.manager.manager import LocalManager
from workers.manager.model import Query

ROLE = "arn:aws:sts::123456789012:assumed-role/manager/one"


def denied(action: str, resource: str) -> Any:
    message = f"User: {ROLE} is not authorized to perform: states:{action} on resource: {resource}"
    return refused("AccessDeniedException", message)


def check(said: Said, action: str, resource: str) -> None:
    assert said.status == 424
    assert "Retry-After" not in said.headers
    assert f"not authorized to perform: states:{action} on resource: {resource}" in said.message
    assert f"AWS does not let the workflow manager call {action}" in said.message
    assert "`workers iam manager`" in said.message


async def test_a_start_that_is_denied_names_what_is_missing_and_leaves_no_workflow(
    watched: tuple[LocalManager, Proxy],
):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    machine = manager.account.state_machine(f"{kept.name}--0--first")
    body = {"workflowDefinition": {"name": kept.name}}
    async with asking(manager) as api:
        for action in ("CreateStateMachine", "StartExecution"):
            proxy.answers[action] = [denied(action, machine)]
            check(await api("POST", "/workflows", body), action, machine)
        assert (await manager.workflows(Query())).items == ()


async def test_what_is_denied_to_other_actions_is_named_too(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    runs = await manager.start_workflow((await defined(manager, WAITS)).name)
    done = await ended(manager, await manager.start_workflow((await defined(manager, PASSES)).name))
    async with asking(manager) as api:
        for method, path, body, action, arn in (
            ("DELETE", f"/workflows/{runs.id}", {"reason": "enough"}, "StopExecution", runs.execution_arn),
            ("POST", f"/workflows/{done.id}/refresh", None, "DescribeExecution", done.execution_arn),
            ("POST", f"/workflows/{done.id}/redrive", None, "DescribeExecution", done.execution_arn),
            ("POST", f"/workflows/{done.id}", {"StartAt": "first"}, "GetExecutionHistory", done.execution_arn),
        ):
            proxy.answers[action] = [denied(action, str(arn))]
            check(await api(method, path, body), action, str(arn))


async def test_what_aws_says_of_a_wrong_signature_is_not_told_on(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    secret = "The Canonical String for this request should have been 'x-amz-security-token:SECRET'"
    async with asking(manager) as api:
        proxy.answers["StartExecution"] = [refused("SignatureDoesNotMatch", secret, status=403)]
        said = await api("POST", "/workflows", {"workflowDefinition": {"name": kept.name}})
        assert said.status == 424
        assert "StartExecution: SignatureDoesNotMatch" in said.message
        assert "SECRET" not in said.text


async def test_the_client_does_not_try_again(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    await manager.start_workflow(kept.name)
    proxy.answers["StartExecution"] = [denied("StartExecution", "machine") for _ in range(5)]
    async with asking(manager) as api, Client(api.url) as client:
        with pytest.raises(AwsDeniedError, match="not authorized to perform: states:StartExecution"):
            await client.start_workflow(kept.name, idempotency_key="once")
    assert len(proxy.answers["StartExecution"]) == 4


async def test_tables_that_the_service_may_not_read(manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    """The embedded DynamoDB denies nothing: this is what the real one raises."""
    from workers.manager.store.dynamodb.database import DynamoDatabase
    from workers.manager.store.dynamodb.tables import Names

    message = f"User: {ROLE} is not authorized to perform: dynamodb:Query on resource: table/workflows"
    answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": message}}

    class Denying:
        async def query(self, **parameters: Any) -> None:
            raise ClientError(answer, "Query")

    database = DynamoDatabase(Names("manager"), manager.account.connection)
    monkeypatch.setattr(database, "_client", Denying())

    async def workflows(query: Query) -> Any:
        return [item async for item in database.query("workflows")]

    monkeypatch.setattr(manager.store, "workflows", workflows)
    async with asking(manager) as api:
        assert "not authorized to perform: dynamodb:Query" in await api.refused(424, "GET", "/workflows")
