"""What compose.yaml puts together, as processes of this machine: one workflow, from the manager and back."""

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.deploy.files import DEPLOY, documents
from tests.deploy.test_consistency import commands
from tests.postgresql import Server
from tests.processes import workers
from workers.errors import ExitCode
from workers.manager.client import Client
from workers.manager.errors import UnavailableError
from workers.manager.model import Status, Workflow
from workers.manager.requests import NewWorkflowDefinition

SERVICES = documents("compose.yaml")[0]["services"]
MACHINE = {"start_at": "Add", "states": {"Add": {"type": "task", "resource": "add", "end": True}}}


@pytest.fixture
def here(unused_tcp_port_factory: Callable[[], int]) -> Callable[[str], dict[str, str]]:
    """The environment of a service; the ports that compose.yaml names may be taken here, and become free ones."""
    free = {port: str(unused_tcp_port_factory()) for port in ("8080", "8081", "8083")}

    def environment(service: str) -> dict[str, str]:
        found = {
            name: re.sub(r"\b80(?:80|81|83)\b", lambda port: free[port[0]], str(value))
            for name, value in SERVICES[service].get("environment", {}).items()
        }
        # What the image says, and what is a default where there is nothing else on the machine.
        return {"WORKERS_LOCAL_PORT": free["8083"], "WORKERS_HEALTH_PORT": free["8080"], **found}

    return environment


async def ended(client: Client, started: Workflow) -> Workflow:
    while not (found := await client.workflow(started.id)).status.terminal:
        await anyio.sleep(0.05)
    return found


async def answers(client: Client) -> None:
    """Waits until the manager does, as its health check."""
    while True:
        try:
            await client.counts()
        except UnavailableError:
            await anyio.sleep(0.1)
        else:
            return


async def listens(port: str) -> None:
    """Waits until somebody does, as the health check of the engine."""
    while True:
        try:
            stream = await anyio.connect_tcp("127.0.0.1", int(port))
        except OSError:
            await anyio.sleep(0.1)
        else:
            await stream.aclose()
            return


@pytest.mark.slow
async def test_a_workflow_goes_from_the_manager_to_the_worker_and_back(
    here: Callable[[str], dict[str, str]], postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(DEPLOY / "example"), os.environ.get("PYTHONPATH", "")]))
    manager = here("manager")
    (token,) = manager["WORKERS_SERVE_TOKENS"].split(",")
    manager |= {"WORKERS_SERVE_HOST": "127.0.0.1", "WORKERS_SERVE_DATABASE": postgresql_server.create("compose")}
    url = f"http://127.0.0.1:{manager['WORKERS_SERVE_PORT']}"
    space: Any = here("worker")["WORKERS_NAMESPACE"]
    with anyio.fail_after(100):
        async with workers(*SERVICES["engine"]["command"], environment=here("engine")):
            await listens(here("engine")["WORKERS_LOCAL_PORT"])
            async with (
                workers(*commands()["example"], environment=here("worker")),
                workers(*SERVICES["manager"]["command"], environment=manager) as service,
                Client(url, token=token) as client,
            ):
                await answers(client)
                await client.create_definition(NewWorkflowDefinition(name="sum", state_machine=MACHINE))
                done = await ended(client, await client.start_workflow("sum", {"x": 20, "y": 22}, namespace=space))
                assert (done.status, done.output) == (Status.SUCCEEDED, "42")
                service.send(signal.SIGTERM)
                grace = float(SERVICES["manager"]["stop_grace_period"].removesuffix("s"))
                assert await service.ends(within=grace) == ExitCode.OK, service.log()
