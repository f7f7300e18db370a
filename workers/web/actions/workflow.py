"""The page of one workflow, and what can be done with it."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from workers.errors import WorkersError
from workers.manager.model import ResourceType, Status, Workflow
from workers.web.actions import commands
from workers.web.actions.asking import REDRIVE, Action, asked
from workers.web.actions.reasons import reason_of
from workers.web.actions.refusals import Refusal
from workers.web.definitions.versions import managed
from workers.web.here import account_here, manager_here
from workers.web.login.forms import Form
from workers.web.rendering import path, render

if TYPE_CHECKING:
    from workers.manager.manager import LocalManager

_LONGEST_REASON = 4_096


CANCEL = Action(
    "cancel",
    "Cancel",
    "It is stopped where it stands; tasks that run hear of it with their next heartbeat. This cannot be undone, but a "
    "cancelled workflow can be redriven.",
    danger=True,
)
RESUME = Action(
    "resume",
    "Resume from a state",
    "A new workflow of the same version starts at the state that you choose, with the input that this state had here. "
    "What comes after that state is done again.",
)
RESOLVE = Action(
    "resolve",
    "Resolve",
    "It no longer counts among those that somebody should look at. This cannot be undone.",
)
ACTIONS = {action.name: action for action in (RESUME, REDRIVE, RESOLVE, CANCEL)}


def possible(workflow: Workflow) -> list[Action]:
    """What can be done with a workflow as it is now."""
    ended_badly = workflow.status in {Status.FAILED, Status.CANCELLED}
    allowed = {
        CANCEL: not workflow.status.terminal,
        RESUME: workflow.status.terminal,
        REDRIVE: ended_badly and workflow.execution_arn is not None,
        RESOLVE: workflow.status is Status.FAILED and not workflow.resolved_by_user,
    }
    return [action for action in ACTIONS.values() if allowed[action]]


async def workflow(request: Request) -> Response:
    """The page: what went in and came out, where and why it failed, its jobs."""
    found = await manager_here(request).workflow(request.path_params["workflow_id"], history=True)
    return render(
        request,
        "actions/workflow.html",
        workflow=found,
        actions=possible(found),
        replay=_replay(request, found),
        reason_of=reason_of,
        again=f"{path(request, 'start_workflow', name=found.workflow_definition.name)}",
    )


def _replay(request: Request, workflow: Workflow) -> str | None:
    """The line that runs the failed step once more; None where no handler failed."""
    job = workflow.last_job
    if workflow.status is not Status.FAILED or workflow.execution_arn is None or job is None:
        return None
    if job.state_resource is None or job.state_resource.type is not ResourceType.ACTIVITY:
        return None
    return commands.replay(account_here(request), workflow.execution_arn, job.state)


async def act(request: Request) -> Response:
    """Asks whether it is meant, and does it."""
    manager = manager_here(request)
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        raise HTTPException(404, f"Nothing here is called {request.path_params['action']}.")
    known = await manager.workflow(request.path_params["workflow_id"], history=action is RESUME)
    if request.method != "POST":
        return await _asked(request, action, known)
    try:
        after = await _done(manager, action, known.id, request.state.form)
    except WorkersError as error:
        return await _asked(request, action, await manager.workflow(known.id), refusal=Refusal.of(error))
    return RedirectResponse(path(request, "workflow", workflow_id=after), status_code=303)


async def _done(manager: "LocalManager", action: Action, workflow_id: str, form: Form) -> str:
    """Does it; returns the id of the workflow that goes on. Raises `WorkersError`."""
    if action is CANCEL:
        await manager.cancel_workflow(workflow_id, form.get("reason", "").strip()[:_LONGEST_REASON])
    elif action is RESUME:
        return (await manager.resume_workflow(workflow_id, form.get("state", ""))).id
    elif action is REDRIVE:
        await manager.redrive_workflow(workflow_id)
    else:
        await manager.resolve_workflow(workflow_id)
    return workflow_id


async def _asked(request: Request, action: Action, known: Workflow, *, refusal: Refusal | None = None) -> Response:
    states, chosen = [], ""
    if action is RESUME:
        about = known.workflow_definition
        definition = await manager_here(request).definition(about.name, about.version)
        states = [name for name, _, _ in managed(definition).states]
        entered = [job.state for job in known.jobs or () if job.state in states]
        failed = known.last_job.state if known.last_job else ""
        chosen = failed if failed in states else next(reversed(entered), "")
    return asked(
        request,
        "actions/act.html",
        action,
        commands.of_workflow(request, action.name, known.id),
        refusal=refusal,
        workflow=known,
        states=states,
        entered={job.state for job in known.jobs or ()},
        chosen=(request.state.form.get("state") if refusal else None) or chosen,
    )
