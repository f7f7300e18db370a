"""The OpenAPI document: what FastAPI makes of the routes, with one schema of failures and with examples."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from workers.manager.api.callbacks import SCHEMAS

_ID = "3d5b1f6e-8b5c-4f39-9d3a-6a2f6f0c1b7e"
_DEFINITION = {
    "id": "5815bfaa-8f2a-49c6-8d69-3af91c4b960d",
    "name": "hello-workflow",
    "version": 0,
    "createdAt": "2026-01-31T12:00:00.000Z",
    "manager": "step-functions",
    "stateMachine": {
        "StartAt": "hello",
        "TimeoutSeconds": 3600,
        "States": {"hello": {"Type": "Task", "Resource": "hello", "End": True}},
    },
    "defaultTags": {"team": "infra"},
    "deprecated": False,
}
_JOB = {
    "id": "2",
    "state": "hello",
    "status": "failed",
    "stateResource": {"name": "hello", "namespace": "production", "type": "ActivityARN"},
    "createdAt": "2026-01-31T12:00:00.500Z",
    "startedAt": "2026-01-31T12:00:00.700Z",
    "stoppedAt": "2026-01-31T12:00:02.000Z",
    "input": f'{{"foo":true,"_EXECUTION_NAME":"{_ID}"}}',
    "statusReason": "no such file\nsfncli.CommandExitedNonzero",
    "container": "worker-7",
    "attempts": [],
}
_SUMMARY = {
    "id": _ID,
    "createdAt": "2026-01-31T12:00:00.000Z",
    "lastUpdated": "2026-01-31T12:00:02.300Z",
    "stoppedAt": "2026-01-31T12:00:02.100Z",
    "workflowDefinition": {key: value for key, value in _DEFINITION.items() if key != "stateMachine"},
    "status": "failed",
    "namespace": "production",
    "queue": "default",
    "input": '{"foo":true}',
    "tags": {"team": "infra"},
    "resolvedByUser": False,
    "retries": [],
    "lastJob": _JOB,
    "redriveCount": 0,
    "launch": "started",
    "executionArn": f"arn:aws:states:us-east-1:123456789012:execution:production--hello-workflow--0--hello:{_ID}",
    "revision": 3,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "WorkflowDefinition": _DEFINITION,
    "NewWorkflowDefinition": {key: _DEFINITION[key] for key in ("name", "manager", "stateMachine", "defaultTags")}
    | {"inputSchema": {"type": "object", "properties": {"foo": {"type": "boolean"}}}},
    "StartWorkflow": {
        "workflowDefinition": {"name": "hello-workflow", "version": -1},
        "input": '{"foo":true}',
        "namespace": "production",
        "queue": "default",
        "tags": {"requested-by": "me"},
    },
    "StartJob": {"workflowDefinition": {"name": "hello-workflow", "version": 0}, "input": ["arg1", "arg2", "arg3"]},
    "WorkflowSummary": _SUMMARY,
    "Workflow": _SUMMARY
    | {"workflowDefinition": _DEFINITION, "statusReason": "no such file\nsfncli.CommandExitedNonzero", "jobs": [_JOB]},
    "CancelReason": {"reason": "try out cancelling a workflow"},
    "WorkflowDefinitionOverrides": {"StartAt": "hello"},
    "NewStateResource": {"name": "hello", "namespace": "production", "uri": "hello:1", "type": "ActivityARN"},
    "StateResource": {
        "name": "hello",
        "namespace": "production",
        "uri": "hello:1",
        "type": "ActivityARN",
        "lastUpdated": "2026-01-31T12:00:00.000Z",
    },
    "Deprecation": {"version": 0, "deprecated": True},
    "QueueLimit": {"limit": 10},
    "QueueState": {"name": "default", "limit": 10, "waiting": 3, "running": 10},
    "Failure": {"message": "workflowDefinition.name is required"},
    "CallbackOutcome": {"outcome": "delivered"},
    "Success": {"result": {"paid": True}},
    "Failed": {"error": "Declined", "cause": {"code": 51}},
    "Beat": {"heartbeat": True},
}
"""An example of each schema."""


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the API."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, summary=app.summary, version=app.version, routes=app.routes, tags=app.openapi_tags
        )
        _without_422(found)
        schemas = found["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas |= SCHEMAS
        for name, example in EXAMPLES.items():
            schemas[name]["examples"] = [example]
        found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"bearer": []}, {}]
        app.openapi_schema = found
    return app.openapi_schema


def _without_422(found: dict[str, Any]) -> None:
    """What FastAPI says of malformed requests is 400 here, and stands there already."""
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
