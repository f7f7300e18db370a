"""What can be done with executions and state machines that no manager keeps."""

import json
import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from workers.arns import check_name
from workers.errors import UsageError, WorkersError
from workers.executions.control import redrive_execution, stop_execution
from workers.executions.execution import Execution, Status
from workers.executions.waiting import describe_execution
from workers.stepfunctions.protocol import ServiceError
from workers.web.actions import commands
from workers.web.actions.asking import REDRIVE, Action, asked
from workers.web.actions.refusals import Refusal
from workers.web.here import account_here
from workers.web.rendering import path, render

STOP = Action(
    "stop",
    "Stop",
    "It is stopped where it stands; tasks that run hear of it with their next heartbeat. This cannot be undone, but a "
    "stopped execution can be redriven.",
    danger=True,
)
ACTIONS = {action.name: action for action in (STOP, REDRIVE)}


async def act(request: Request) -> Response:
    """Asks whether it is meant, and does it."""
    account, action = account_here(request), ACTIONS.get(request.path_params["action"])
    if action is None:
        raise HTTPException(404, f"Nothing here is called {request.path_params['action']}.")
    known = await describe_execution(request.path_params["arn"], account=account)
    if request.method != "POST":
        return _asked(request, action, known)
    cause = request.state.form.get("reason", "").strip()
    try:
        if action is STOP:
            await stop_execution(known, cause=cause[:32_768] or None, account=account)
        else:
            await redrive_execution(known, account=account)
    except WorkersError as error:
        return _asked(request, action, known, refusal=Refusal.of(error))
    return RedirectResponse(path(request, "execution", arn=known.arn), status_code=303)


async def lines(request: Request) -> Response:
    """What can be done with an execution from a terminal."""
    account = account_here(request)
    known = await describe_execution(request.path_params["arn"], account=account)
    machine, text = known.state_machine.split(":")[6], json.dumps(known.input, ensure_ascii=False)
    found = {"Show it": commands.show_execution(account, known.arn)}
    if known.status in {Status.FAILED, Status.TIMED_OUT, Status.ABORTED}:
        found["Run the failed step once more on this machine"] = commands.replay(account, known.arn)
        found["Redrive it"] = commands.redrive_execution(account, known.arn)
    if not known.status.ended:
        found["Stop it"] = commands.stop_execution(account, known.arn)
    found["Start another one with the same input"] = commands.start_execution(account, machine, text)
    return render(request, "actions/lines.html", execution=known, lines=found)


def _asked(request: Request, action: Action, known: Execution, *, refusal: Refusal | None = None) -> Response:
    account = account_here(request)
    line = commands.stop_execution if action is STOP else commands.redrive_execution
    return asked(request, "actions/act_raw.html", action, (line(account, known.arn),), refusal=refusal, execution=known)


async def start_execution(request: Request) -> Response:
    """The form that starts an execution, and what becomes of it."""
    account, machine = account_here(request), request.path_params["name"]
    if request.method != "POST":
        version = request.query_params.get("version", "")
        last = await _last_input(request, machine)
        draft = {"name": "", "version": version, "input": last, "key": str(uuid.uuid4())}
        return _form(request, draft)
    form = request.state.form
    draft = {name: form.get(name, "").replace("\r\n", "\n") for name in ("name", "version", "input", "key")}
    arn = account.state_machine(machine) + (f":{draft['version']}" if draft["version"] else "")
    try:
        text, name = _json(draft["input"]), draft["name"].strip()
        if form.get("do") == "show":
            asked = f"{machine}:{draft['version']}" if draft["version"] else machine
            return _form(request, draft, line=commands.start_execution(account, asked, text, name))
        # The same form, sent twice, starts one execution: that of its key, where no name is given.
        given = check_name(name or draft["key"], "execution")
        started = await account.call("StartExecution", stateMachineArn=arn, name=given, input=text)
    except WorkersError as error:
        return _form(request, draft, refusal=Refusal.of(error))
    return RedirectResponse(path(request, "execution", arn=started["executionArn"]), status_code=303)


def _form(
    request: Request, draft: dict[str, Any], *, refusal: Refusal | None = None, line: str | None = None
) -> Response:
    return render(
        request,
        "actions/start_raw.html",
        status=refusal.status if refusal else 200,
        name=request.path_params["name"],
        draft=draft,
        refusal=refusal,
        lines=(line,) if line else (),
    )


async def _last_input(request: Request, machine: str) -> str:
    """What an execution was given, by default the newest of the machine."""
    account = account_here(request)
    arn = request.query_params.get("like")
    try:
        if not arn:
            found = await account.call("ListExecutions", stateMachineArn=account.state_machine(machine), maxResults=1)
            arn = found["executions"][0]["executionArn"] if found["executions"] else None
        if arn is None:
            return "{}"
        known = await describe_execution(arn, account=account)
    except ServiceError as error:
        if error.code != "StateMachineTypeNotSupported":  # executions of Express machines are not listed
            raise
        return "{}"
    return json.dumps(known.input, indent=2, ensure_ascii=False)


def _json(text: str) -> str:
    """The input without what only makes it readable. Raises `UsageError`."""
    try:
        return json.dumps(json.loads(text or "{}"), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the input is no JSON: {error}") from None
