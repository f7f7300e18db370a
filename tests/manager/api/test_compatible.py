"""The requests of the first clients, as they send them, and what they are answered."""

import json
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.api.conftest import Api
from tests.manager.conftest import BREAKS, CHAIN, PASSES, activities
from workers.stepfunctions.account import Account


async def kept(api: Api, machine: dict[str, Any] = PASSES, **fields: Any) -> dict[str, Any]:
    body = {"name": unique("wf"), "manager": "step-functions", "stateMachine": machine} | fields
    found: dict[str, Any] = await api.ok("POST", "/workflow-definitions", body, status=201)
    return found


async def started(api: Api, definition: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"workflowDefinition": {"name": definition["name"], "version": definition["version"]}} | fields
    found: dict[str, Any] = await api.ok("POST", "/workflows", body)
    return found


async def ended(api: Api, workflow: dict[str, Any], query: str = "") -> dict[str, Any]:
    with anyio.fail_after(30):
        while True:
            found: dict[str, Any] = await api.ok("GET", f"/workflows/{workflow['id']}{query}")
            if found["status"] in {"succeeded", "failed", "cancelled"}:
                return found
            await anyio.sleep(0.05)


async def test_health_is_always_well(api: Api):
    said = await api("GET", "/_health")
    assert (said.status, said.text) == (200, "")


async def test_definitions_are_created_read_and_changed(api: Api):
    first = await kept(api, CHAIN, defaultTags={"team": "infra"}, version=7)
    assert first["version"] == 0
    assert first.keys() == {
        "id", "name", "version", "createdAt", "manager", "stateMachine", "defaultTags", "deprecated",
    }  # fmt: skip
    path = f"/workflow-definitions/{first['name']}"
    changed = {"name": first["name"], "manager": "step-functions", "stateMachine": PASSES}
    second = await api.ok("PUT", path, changed, status=201)
    assert second["version"] == 1
    assert await api.ok("GET", path) == [second]
    assert await api.ok("GET", f"{path}?latest=false") == [first, second]
    assert await api.ok("GET", f"{path}/0") == first
    assert await api.ok("GET", "/workflow-definitions") == [second]


async def test_refusals_of_definitions(api: Api):
    first = await kept(api)
    name = first["name"]
    same = {"name": name, "stateMachine": PASSES}
    assert name in await api.refused(409, "POST", "/workflow-definitions", same)
    assert await api.refused(400, "POST", "/workflow-definitions", {"stateMachine": PASSES}) == "name is required"
    assert "stateMachine is required" in await api.refused(400, "POST", "/workflow-definitions", {"name": "x"})
    said = await api("POST", "/workflow-definitions", {"name": "x", "stateMachine": {"StartAt": "a", "States": {}}})
    assert (said.status, said.json["problems"][0]["code"]) == (400, "empty")
    assert "must have at least one state" in said.message
    other = {"name": "other", "stateMachine": PASSES}
    message = "Name in path must match WorkflowDefinition object"
    assert await api.refused(400, "PUT", f"/workflow-definitions/{name}", other) == message
    nobody = {"name": "nobody", "stateMachine": PASSES}
    assert "nobody" in await api.refused(404, "PUT", "/workflow-definitions/nobody", nobody)
    assert f"{name}@7" in await api.refused(404, "GET", f"/workflow-definitions/{name}/7")
    assert "nobody" in await api.refused(404, "GET", "/workflow-definitions/nobody")


async def test_21_tags_are_texts(api: Api):
    body = {"name": "x", "stateMachine": PASSES, "defaultTags": {"n": 5}}
    message = await api.refused(400, "POST", "/workflow-definitions", body)
    assert message == "defaultTags.n: error converting tag value to string: 5"
    first = await kept(api)
    wanted = {"workflowDefinition": {"name": first["name"]}, "tags": {"n": 5}}
    assert "error converting tag value to string: 5" in await api.refused(400, "POST", "/workflows", wanted)


async def test_a_workflow_as_the_first_clients_start_and_see_it(api: Api):
    definition = await kept(api, BREAKS)
    found = await started(api, definition, input='{"fine": true}', namespace="prod", queue="slow", tags={"a": "b"})
    assert found["status"] == "queued"
    assert found["workflowDefinition"]["stateMachine"] == BREAKS
    assert (found["input"], found["namespace"], found["queue"], found["tags"]) == (
        '{"fine": true}', "prod", "slow", {"a": "b"},
    )  # fmt: skip
    assert (found["jobs"], found["retries"]) == ([], [])
    done = await ended(api, found)
    assert (done["status"], done["resolvedByUser"]) == ("succeeded", True)
    whole = await ended(api, found, "?fetchHistory=true")
    assert [(job["state"], job["status"]) for job in whole["jobs"]] == [("look", "succeeded"), ("end", "succeeded")]
    assert whole["jobs"][0]["attempts"] == []


async def test_no_version_is_the_first_and_a_negative_one_the_latest(api: Api):
    first = await kept(api)
    changed = {"name": first["name"], "stateMachine": BREAKS}
    await api.ok("PUT", f"/workflow-definitions/{first['name']}", changed, status=201)
    one = await api.ok("POST", "/workflows", {"workflowDefinition": {"name": first["name"]}})
    assert one["workflowDefinition"]["version"] == 0
    two = await api.ok("POST", "/workflows", {"workflowDefinition": {"name": first["name"], "version": -1}})
    assert two["workflowDefinition"]["version"] == 1


@pytest.mark.parametrize("version", [True, "0", 0.5, [0]])
async def test_what_is_no_number_is_no_version(api: Api, version: Any):
    body = {"workflowDefinition": {"name": "x", "version": version}}
    assert (await api.refused(400, "POST", "/workflows", body)).startswith("workflowDefinition.version: ")
    path = "/workflow-definitions/x/deprecated"
    assert (await api.refused(400, "POST", path, {"version": version})).startswith("version: ")
    assert (await api.refused(400, "PUT", "/queues/q", {"limit": version})).startswith("limit: ")
    assert (await api.refused(400, "POST", path, {"deprecated": "yes"})).startswith("deprecated: ")


async def test_null_is_as_good_as_nothing(api: Api):
    definition = await kept(api, defaultTags=None, version=None)
    body = dict.fromkeys(("input", "namespace", "queue", "tags", "idSuffix"))
    wanted = {"name": definition["name"], "version": None}
    found = await api.ok("POST", "/workflows", body | {"workflowDefinition": wanted})
    assert (found["input"], found["namespace"], found["queue"], found["tags"]) == ("{}", "", "default", {})
    assert (
        await api.refused(400, "POST", "/workflows", {"workflowDefinition": None}) == "workflowDefinition is required"
    )


async def test_a_workflow_shows_that_its_definition_is_deprecated_by_now(api: Api):
    definition = await kept(api)
    path = f"/workflows/{(await started(api, definition))['id']}"
    assert (await api.ok("GET", path))["workflowDefinition"] == definition
    await api.ok("POST", f"/workflow-definitions/{definition['name']}/deprecated", {})
    assert (await api.ok("GET", path))["workflowDefinition"] == definition | {"deprecated": True}


@pytest.mark.parametrize("path", ["/jobs/", "/jobs"])
async def test_a_list_as_input_in_the_form_of_2017(api: Api, path: str):
    definition = await kept(api)
    body = {"workflowDefinition": {"name": definition["name"], "version": 0}, "input": ["arg1", "arg2", "arg3"]}
    found = await api.ok("POST", path, body)
    assert json.loads(found["input"]) == {"args": ["arg1", "arg2", "arg3"]}
    assert (await ended(api, found))["status"] == "succeeded"


async def test_refusals_of_workflows(api: Api):
    definition = await kept(api)
    wanted = {"workflowDefinition": {"name": definition["name"]}}
    assert await api.refused(400, "POST", "/workflows") == "request body is required, but was empty"
    assert await api.refused(400, "POST", "/workflows", {}) == "workflowDefinition is required"
    assert "is no JSON" in await api.refused(400, "POST", "/workflows", "{")
    message = await api.refused(400, "POST", "/workflows", wanted | {"input": "[1]"})
    assert message.startswith("input is not a valid JSON object: ")
    assert "input" in await api.refused(400, "POST", "/workflows", wanted | {"input": {"x": 1}})
    assert "namespace" in await api.refused(400, "POST", "/workflows", wanted | {"namespace": "a--b"})
    assert "nobody" in await api.refused(404, "POST", "/workflows", {"workflowDefinition": {"name": "nobody"}})
    assert "input: it has" in await api.refused(
        413, "POST", "/workflows", wanted | {"input": f'{{"x":"{"y" * 300_000}"}}'}
    )
    for method, path, body in [
        ("GET", "", None),
        ("DELETE", "", {"reason": "x"}),
        ("POST", "", {"StartAt": "x"}),
        ("POST", "/resolved", None),
        ("POST", "/redrive", None),
        ("POST", "/refresh", None),
    ]:
        assert "nobody" in await api.refused(404, method, f"/workflows/nobody{path}", body)


async def test_cancelling_and_resolving(api: Api, here: Account):
    definition = await kept(api, CHAIN)
    await activities(here, "one")
    found = await started(api, definition)
    path = f"/workflows/{found['id']}"
    assert await api.refused(400, "DELETE", path) == "request body is required, but was empty"
    assert "active: " in await api.refused(409, "POST", path, {"StartAt": "one"})
    said = await api("DELETE", path, {"reason": "try out"})
    assert (said.status, said.text) == (200, "")
    done = await ended(api, found)
    assert (done["status"], done["statusReason"], done["resolvedByUser"]) == ("cancelled", "try out", True)
    assert "already resolved" in await api.refused(409, "POST", f"{path}/resolved")

    failed = await ended(api, await started(api, await kept(api, BREAKS)))
    path = f"/workflows/{failed['id']}"
    message = f"Cancellation not allowed. Workflow {failed['id']} is failed"
    assert await api.refused(400, "DELETE", path, {"reason": "late"}) == message
    said = await api("POST", f"{path}/resolved")
    assert (said.status, said.text) == (201, "")
    assert "Invalid StartAt state nowhere" in await api.refused(400, "POST", path, {"StartAt": "nowhere"})
    again = await api.ok("POST", path, {"StartAt": "look"})
    assert again["retryFor"] == failed["id"]
    assert (await ended(api, failed))["retries"] == [again["id"]]


async def test_05_state_resources(api: Api):
    body = {"name": "echo", "namespace": "prod", "uri": "arn:x"}
    kept_ = await api.ok("POST", "/state-resources", body, status=201)
    assert kept_.items() >= (body | {"type": "ActivityARN"}).items()
    path = "/state-resources/prod/echo"
    assert await api.ok("GET", path) == kept_
    changed = await api.ok("PUT", path, body | {"uri": "arn:y"}, status=201)
    assert changed["uri"] == "arn:y"
    assert await api.ok("GET", "/state-resources") == [changed]
    assert await api.ok("GET", "/state-resources?namespace=other") == []
    message = "StateResource.Name does not match name in path"
    assert await api.refused(400, "PUT", path, body | {"name": "other"}) == message
    message = "StateResource.Namespace does not match namespace in path"
    assert await api.refused(400, "PUT", path, body | {"namespace": "other"}) == message
    said = await api("DELETE", path)
    assert (said.status, said.text) == (200, "")
    assert "prod--echo" in await api.refused(404, "GET", path)
    assert "prod--echo" in await api.refused(404, "DELETE", path)
