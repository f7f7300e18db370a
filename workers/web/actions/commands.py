"""What is done here as a line for a terminal: with the command line of workers, and as a call of the REST API."""

import json
import shlex
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from workers.manager.model import DEFAULT_QUEUE
from workers.manager.requests import StartWorkflow
from workers.stepfunctions.account import Account

_DEFAULT_URL = "http://127.0.0.1:8080"


def replay(account: Account, arn: str, state: str | None = None) -> str:
    """The line that runs the handler of a failed step once more, on the very input that it had."""
    return _line("workers", "replay", arn, *(("--state", state) if state else ()), *_local(account))


def show_execution(account: Account, arn: str) -> str:
    """Shows one."""
    return _line("workers", "executions", "show", arn, *_local(account))


def start_execution(account: Account, machine: str, text: str, name: str = "") -> str:
    """Starts an execution."""
    named = ("--name", name) if name else ()
    return _line("workers", "executions", "start", machine, text, *named, *_local(account))


def stop_execution(account: Account, arn: str) -> str:
    """Stops one."""
    return _line("workers", "executions", "stop", arn, "--cause", "WHY", *_local(account))


def redrive_execution(account: Account, arn: str) -> str:
    """Redrives one."""
    return _line("workers", "executions", "redrive", arn, *_local(account))


def start_workflow(request: Request, body: StartWorkflow) -> tuple[str, str]:
    """Starts a workflow: the command line, and the call."""
    about = body.workflow_definition
    options = [("--version", str(about.version))] if about.version >= 0 else []
    options += [("--namespace", body.namespace)] if body.namespace else []
    options += [("--queue", body.queue)] if body.queue != DEFAULT_QUEUE else []
    options += [("--tag", f"{key}={value}") for key, value in body.tags.items()]
    flat = [word for option in options for word in option]
    line = _line("workers", "workflows", "start", about.name, body.input, *flat, *_url(request))
    sent = {key: value for key, value in body.to_json().items() if value != ""}
    return line, _curl(request, "POST", "/workflows", sent)


def of_workflow(request: Request, action: str, workflow_id: str) -> tuple[str, str]:
    """Cancels, resumes, redrives or resolves a workflow: the command line, and the call."""
    more = {"cancel": ("--reason", "WHY"), "resume": ("STATE",)}.get(action, ())
    line = _line("workers", "workflows", action, workflow_id, *more, *_url(request))
    path = f"/workflows/{quote(workflow_id, safe='')}"
    calls: dict[str, tuple[str, str, Any]] = {
        "cancel": ("DELETE", path, {"reason": "WHY"}),
        "resume": ("POST", path, {"StartAt": "STATE"}),
        "redrive": ("POST", f"{path}/redrive", None),
        "resolve": ("POST", f"{path}/resolved", None),
    }
    return line, _curl(request, *calls[action])


def _curl(request: Request, method: str, path: str, body: Any) -> str:
    words = ["curl", "-X", method, f"{_root(request)}{path}"]
    line = _line(*words)
    if request.state.logged_in:
        line += ' -H "Authorization: Bearer $WORKERS_MANAGER_TOKEN"'
    if body is not None:
        text = json.dumps(body, ensure_ascii=False)
        line += f" -H 'Content-Type: application/json' -d {shlex.quote(text)}"
    return line


def _root(request: Request) -> str:
    """Where the API is, as the browser reached it."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _url(request: Request) -> tuple[str, ...]:
    root = _root(request)
    return () if root == _DEFAULT_URL else ("--url", root)


def _local(account: Account) -> tuple[str, ...]:
    """The options by which a command finds the same Step Functions."""
    settings = account.settings
    if not settings.local:
        return ()
    default = type(settings).model_fields["local_port"].default
    return ("--local", *(() if settings.local_port == default else ("--local-port", str(settings.local_port))))


def _line(*words: str) -> str:
    return " ".join(shlex.quote(word) if word not in {"WHY", "STATE"} else word for word in words)
