"""The name of a worker, which the histories of executions show: its template, filled in."""

import os
import re
import socket
from collections.abc import Awaitable, Callable

import anyio

from workers.arns import NAME_LIMIT, check_name
from workers.backoff import Backoff
from workers.errors import UsageError
from workers.settings import PLACEHOLDER

DEFAULT = "{host}-{pid}"
METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
_METADATA_WITHIN = 5.0
"""Seconds: the endpoint is inside the host, but may be late when a task has just started."""


async def fill_name(template: str | None) -> str:
    """`template` with its placeholders filled in; HOST-PID without one. 1 to 80 characters that AWS takes.

    `{host}` and `{pid}` as the system says, `{ecs_task}` the id from the ECS task metadata endpoint (version 4),
    `{pod}` POD_NAME or the host name, on Kubernetes. Of a name that is too long the end is kept, where pods,
    tasks and processes differ. Raises `UsageError` for a placeholder that means nothing here.
    """
    filled, position = "", 0
    template = template or DEFAULT
    for found in PLACEHOLDER.finditer(template):
        value = await _VALUES[found[1]]()
        filled += template[position : found.start()] + re.sub(r"[^\w.-]", "-", value, flags=re.ASCII)
        position = found.end()
    return check_name((filled + template[position:])[-NAME_LIMIT:], "worker")


async def _host() -> str:
    return socket.gethostname()


async def _pid() -> str:
    return str(os.getpid())


async def _pod() -> str:
    if name := os.environ.get("POD_NAME"):
        return name
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return socket.gethostname()
    raise UsageError("--worker-name holds {pod}, but this is no pod: KUBERNETES_SERVICE_HOST and POD_NAME are not set")


async def _ecs_task() -> str:
    uri = os.environ.get(METADATA_VARIABLE)
    if not uri:
        raise UsageError(f"--worker-name holds {{ecs_task}}, but this is no ECS task: {METADATA_VARIABLE} is not set")
    import aiohttp

    backoff, problem = Backoff(initial=0.2, maximum=1.0), "no answer"
    with anyio.move_on_after(_METADATA_WITHIN):
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{uri}/task", raise_for_status=True) as answer:
                        return str((await answer.json(content_type=None))["TaskARN"]).rpartition("/")[2]
                except (aiohttp.ClientError, ValueError, KeyError, TypeError) as error:
                    problem = str(error) or type(error).__name__
                await anyio.sleep(backoff.next())
    raise UsageError(f"--worker-name holds {{ecs_task}}, but the ECS metadata endpoint {uri}/task says: {problem}")


_VALUES: dict[str, Callable[[], Awaitable[str]]] = {
    "host": _host,
    "pid": _pid,
    "ecs_task": _ecs_task,
    "pod": _pod,
}
