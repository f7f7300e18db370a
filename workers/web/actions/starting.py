"""The form that starts a workflow: it begins with the input of the last one."""

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from workers.errors import WorkersError
from workers.manager.errors import InvalidError, NotFoundError
from workers.manager.model import DEFAULT_QUEUE, Query, Workflow, WorkflowSummary
from workers.manager.requests import LATEST, StartWorkflow
from workers.web.actions import commands
from workers.web.actions.refusals import Refusal
from workers.web.here import manager_here
from workers.web.login.forms import Form
from workers.web.rendering import path, render


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a form says, as text."""

    version: str = ""
    """Empty for the latest."""
    input: str = "{}"
    namespace: str = ""
    queue: str = DEFAULT_QUEUE
    tags: str = ""
    """`KEY=VALUE`, one a line."""
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    """The same form, sent twice, starts one workflow."""

    @classmethod
    def of(cls, form: Form) -> Self:
        """What was sent."""
        names = ("version", "input", "namespace", "queue", "tags", "key")
        return cls(**{name: form[name].replace("\r\n", "\n") for name in names if name in form})

    def body(self, name: str) -> StartWorkflow:
        """The same as the REST API takes it, and as strictly. Raises `InvalidError`."""
        given = {
            "workflowDefinition": {"name": name, "version": _version(self.version)},
            "input": self.input.strip(),
            "namespace": self.namespace.strip(),
            "queue": self.queue.strip(),
            "tags": _tags(self.tags),
        }
        try:
            return StartWorkflow.model_validate(given)
        except ValidationError as error:
            told = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise InvalidError("; ".join(told).replace("Value error, ", "")) from None


async def start_workflow(request: Request) -> Response:
    """The form, and what becomes of it."""
    manager, name = manager_here(request), request.path_params["name"]
    if request.method != "POST":
        return await _form(request, await _draft(request))
    draft = Draft.of(request.state.form)
    try:
        body = draft.body(name)
        if request.state.form.get("do") == "show":
            return await _form(request, draft, lines=commands.start_workflow(request, body))
        version = body.workflow_definition.version
        started = await manager.start_workflow(
            name,
            body.input,
            version=version if version >= 0 else None,
            namespace=body.namespace,
            queue=body.queue,
            tags=body.tags,
            idempotency_key=f"form {draft.key}"[:255],
        )
    except WorkersError as error:
        # What was refused was not started: the corrected form is another one.
        draft = replace(draft, key=secrets.token_hex(16))
        return await _form(request, draft, refusal=Refusal.of(error))
    return RedirectResponse(path(request, "workflow", workflow_id=started.id), status_code=303)


async def _form(
    request: Request, draft: Draft, *, refusal: Refusal | None = None, lines: tuple[str, str] | None = None
) -> Response:
    name = request.path_params["name"]
    return render(
        request,
        "actions/start.html",
        status=refusal.status if refusal else 200,
        name=name,
        versions=list(reversed(await manager_here(request).definition_versions(name))),
        queues=[queue.name for queue in await manager_here(request).queues()],
        draft=draft,
        refusal=refusal,
        lines=lines or (),
    )


async def _draft(request: Request) -> Draft:
    """What the form begins with: what another workflow was given, by default the newest of the same definition."""
    manager, name = manager_here(request), request.path_params["name"]
    version = request.query_params.get("version", "")
    if like := request.query_params.get("like"):
        try:
            return _like(await manager.workflow(like))
        except NotFoundError:
            pass
    page = await manager.workflows(Query(workflow_definition_name=name, limit=1))
    last = page.items[0].input if page.items else "{}"
    return Draft(version=version, input=_pretty(last))


def _like(workflow: Workflow | WorkflowSummary) -> Draft:
    return Draft(
        version=str(workflow.workflow_definition.version),
        input=_pretty(workflow.input),
        namespace=workflow.namespace,
        queue=workflow.queue,
        tags="\n".join(f"{key}={value}" for key, value in workflow.tags.items()),
    )


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _version(text: str) -> int | str:
    """The number of a version; what is none stays text, which the body refuses."""
    return int(text) if text.isascii() and text.isdecimal() else text or LATEST


def _tags(text: str) -> dict[str, str]:
    tags = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.partition("=")
        if not (key and equals):
            raise InvalidError(f"tags: {line!r} is no KEY=VALUE")
        tags[key.strip()] = value.strip()
    return tags
