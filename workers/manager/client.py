"""A client of the manager's REST API: the same methods as the manager itself has, over HTTP."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from workers.manager.model import (
    DEFAULT_QUEUE,
    Count,
    Page,
    Query,
    QueueState,
    StateResource,
    Workflow,
    WorkflowDefinition,
    WorkflowSummary,
)
from workers.manager.requests import LATEST, NewStateResource, NewWorkflowDefinition
from workers.manager.transport import Transport

_TIMEOUT = 30.0


class Client:
    """The workflow manager at `url`; an async context manager, because it holds connections.

        async with Client("http://127.0.0.1:8080") as manager:
            workflow = await manager.start_workflow("hello-workflow", {"foo": True})

    `token`: a bearer token. `timeout`: seconds for one request. Raises the errors of `workers.manager.errors`:
    `UnavailableError` where the service cannot be reached. Requests that change nothing, or nothing twice, are repeated
    before that.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8080", *, token: str | None = None, timeout: float = _TIMEOUT
    ) -> None:
        self._http = Transport(url, token=token, timeout=timeout)

    async def __aenter__(self) -> Self:
        await self._http.open()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._http.close()

    async def definitions(self) -> list[WorkflowDefinition]:
        """The latest version of each, by name."""
        return await self._http.many(WorkflowDefinition, "/workflow-definitions")

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """One version; the latest without a number."""
        path = f"/workflow-definitions/{_quoted(name)}"
        if version is None or version < 0:
            return (await self._http.many(WorkflowDefinition, path))[0]
        return await self._http.one(WorkflowDefinition, "GET", f"{path}/{version}")

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """All versions, the first one first."""
        return await self._http.many(WorkflowDefinition, f"/workflow-definitions/{_quoted(name)}", {"latest": "false"})

    async def create_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates version 0 of a definition that does not exist yet.

        Repeated after faults only with an `idempotency_key`: the same key for the same request makes one version.
        """
        path = "/workflow-definitions"
        return await self._http.one(WorkflowDefinition, "POST", path, definition.to_json(), **_keyed(idempotency_key))

    async def update_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates the next version of a definition that exists.

        Repeated after faults only with an `idempotency_key`: the same key for the same request makes one version.
        """
        path = f"/workflow-definitions/{_quoted(definition.name)}"
        return await self._http.one(WorkflowDefinition, "PUT", path, definition.to_json(), **_keyed(idempotency_key))

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """Says that nothing new is to be started with a version, or with any; or takes that back."""
        body = {"deprecated": deprecated} | ({} if version is None else {"version": version})
        await self._http.send("POST", f"/workflow-definitions/{_quoted(name)}/deprecated", body, repeat=True)

    async def delete_definition(self, name: str) -> None:
        """Deletes all versions, if there are no workflows of it."""
        await self._http.send("DELETE", f"/workflow-definitions/{_quoted(name)}", repeat=False)

    async def start_workflow(
        self,
        name: str,
        input: Mapping[str, Any] | str = "",  # noqa: A002 - the API's own word
        *,
        version: int | None = None,
        namespace: str = "",
        queue: str = DEFAULT_QUEUE,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Workflow:
        """Starts a workflow of the definition `name`, of its latest version without a number.

        Repeated after faults only with an `idempotency_key`: the same key for the same request starts one workflow.
        """
        body = {
            "workflowDefinition": {"name": name, "version": LATEST if version is None else version},
            "input": input if isinstance(input, str) else json.dumps(dict(input), ensure_ascii=False),
            "namespace": namespace,
            "queue": queue,
            "tags": dict(tags or {}),
        }
        return await self._http.one(
            Workflow,
            "POST",
            "/workflows",
            body,
            **_keyed(idempotency_key),
        )

    async def workflow(self, workflow_id: str, *, history: bool = False) -> Workflow:
        """A workflow as it is now; with `history`, with its jobs."""
        query = {"fetchHistory": "true"} if history else {}
        return await self._http.one(Workflow, "GET", f"/workflows/{_quoted(workflow_id)}", query=query)

    async def workflows(self, query: Query) -> Page:
        """A page of what `query` asks for."""
        headers, items = await self._http.send("GET", "/workflows", query=_asked(query))
        following = headers.get("X-Next-Page-Path")
        found = self._http.as_list(WorkflowSummary, items)
        return Page(items=tuple(found), next_page_token=_token(following) if following else None)

    async def all_workflows(self, query: Query) -> AsyncIterator[WorkflowSummary]:
        """What `query` asks for, over all pages."""
        while True:
            page = await self.workflows(query)
            for workflow in page.items:
                yield workflow
            if page.next_page_token is None:
                return
            query = query.model_copy(update={"page_token": page.next_page_token})

    async def cancel_workflow(self, workflow_id: str, reason: str, *, idempotency_key: str | None = None) -> None:
        """Stops a workflow.

        `idempotency_key`: the same key for the same request does not stop it again after it was redriven.
        """
        path, options = f"/workflows/{_quoted(workflow_id)}", _keyed(idempotency_key) | {"repeat": True}
        await self._http.send("DELETE", path, {"reason": reason}, **options)

    async def resume_workflow(self, workflow_id: str, start_at: str, *, idempotency_key: str | None = None) -> Workflow:
        """Starts a new workflow that goes on at the state `start_at` of one that has ended, with its input there.

        Repeated after faults only with an `idempotency_key`: the same key for the same request starts one workflow.
        """
        return await self._http.one(
            Workflow,
            "POST",
            f"/workflows/{_quoted(workflow_id)}",
            {"StartAt": start_at},
            **_keyed(idempotency_key),
        )

    async def resolve_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> None:
        """Says that nobody need look at it any more.

        Repeated after faults only with an `idempotency_key`, with which it is not refused because it was done.
        """
        await self._http.send("POST", f"/workflows/{_quoted(workflow_id)}/resolved", **_keyed(idempotency_key))

    async def redrive_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> Workflow:
        """Lets a workflow that failed or was cancelled go on where it ended.

        Repeated after faults only with an `idempotency_key`: the same key for the same request redrives it once.
        """
        path = f"/workflows/{_quoted(workflow_id)}/redrive"
        return await self._http.one(Workflow, "POST", path, **_keyed(idempotency_key))

    async def refresh_workflow(self, workflow_id: str) -> Workflow:
        """Reads its status and its jobs from Step Functions, whatever is known already."""
        return await self._http.one(Workflow, "POST", f"/workflows/{_quoted(workflow_id)}/refresh")

    async def delete_workflows(self, before: datetime) -> int:
        """Forgets workflows that ended before that time; returns how many."""
        query = {"endedBefore": before.isoformat()}
        _, found = await self._http.send("DELETE", "/workflows", query=query, repeat=True)
        return int(found["deleted"])

    async def counts(self) -> list[Count]:
        """How many workflows there are; may be some seconds old."""
        return await self._http.many(Count, "/workflow-counts")

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """Those of a namespace, or all."""
        query = {} if namespace is None else {"namespace": namespace}
        return await self._http.many(StateResource, "/state-resources", query)

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """One of them."""
        return await self._http.one(StateResource, "GET", f"/state-resources/{_quoted(namespace)}/{_quoted(name)}")

    async def put_state_resource(self, resource: NewStateResource) -> StateResource:
        """Creates one, or replaces it."""
        return await self._http.one(StateResource, "POST", "/state-resources", resource.to_json())

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """Deletes one."""
        path = f"/state-resources/{_quoted(namespace)}/{_quoted(name)}"
        await self._http.send("DELETE", path, repeat=False)

    async def queues(self) -> list[QueueState]:
        """Those that have a limit, or workflows that have not ended."""
        return await self._http.many(QueueState, "/queues")

    async def put_queue(self, name: str, limit: int | None) -> QueueState:
        """Sets how many of its workflows may run at a time; None is any number."""
        body = {} if limit is None else {"limit": limit}
        return await self._http.one(QueueState, "PUT", f"/queues/{_quoted(name)}", body)

    async def delete_queue(self, name: str) -> None:
        """Takes the limit away."""
        await self._http.send("DELETE", f"/queues/{_quoted(name)}", repeat=False)

    async def changes(self) -> AsyncIterator[WorkflowSummary]:
        """Workflows as they change, from now on.

        What changes while the connection is broken comes when it is back, and some of it comes twice. Raises
        `UnavailableError` when the service does not come back.
        """
        async for data in self._http.events("/changes"):
            yield WorkflowSummary.model_validate_json(data)


def _quoted(part: str) -> str:
    """A part of a path."""
    return quote(part, safe="")


def _keyed(idempotency_key: str | None) -> dict[str, Any]:
    """How a request is sent that its caller may have named: only then it is repeated."""
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    return {"headers": headers, "repeat": idempotency_key is not None}


def _asked(query: Query) -> list[tuple[str, str]]:
    """A query as `GET /workflows` takes it."""
    given = query.model_dump(mode="json", by_alias=True, exclude_none=True)
    given["tag"] = [f"{key}={value}" for key, value in given.pop("tags").items()]
    return [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def _token(path: str) -> str | None:
    """The page token in the path of the next page."""
    found = parse_qs(urlsplit(path).query).get("pageToken")
    return found[0] if found else None
