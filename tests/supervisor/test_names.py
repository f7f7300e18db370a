"""Worker names and their placeholders."""

import os
import socket

import pytest

from tests.supervisor.outside.ecs_agent import ecs_agent
from workers.arns import check_name
from workers.errors import UsageError
from workers.settings import PLACEHOLDERS, Settings
from workers.supervisor import names
from workers.supervisor.names import fill_name


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ECS_CONTAINER_METADATA_URI_V4", "KUBERNETES_SERVICE_HOST", "POD_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_every_placeholder_of_the_settings_can_be_filled() -> None:
    assert set(names._VALUES) == set(PLACEHOLDERS)


async def test_without_a_template_the_name_is_host_and_pid() -> None:
    assert (await fill_name(None)).endswith(f"-{os.getpid()}")
    check_name(await fill_name(None), "worker")


async def test_host_and_pid_are_filled_between_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    assert await fill_name("a-{host}.{pid}-z") == f"a-box.{os.getpid()}-z"


async def test_characters_that_aws_refuses_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "büro #1")
    assert await fill_name("{host}") == "b-ro--1"


async def test_a_long_name_keeps_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "x" * 100)
    name = await fill_name("{host}-{pid}")
    assert len(name) == 80
    assert name.endswith(f"x-{os.getpid()}")


async def test_the_pod_is_pod_name_or_the_host_on_kubernetes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "workers-5d8-abcde")
    with pytest.raises(UsageError, match="no pod"):
        await fill_name("{pod}")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert await fill_name("w-{pod}") == "w-workers-5d8-abcde"
    monkeypatch.setenv("POD_NAME", "workers-5d8-fghij")
    assert await fill_name("w-{pod}") == "w-workers-5d8-fghij"


async def test_the_ecs_task_is_asked_of_the_metadata_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no ECS task"):
        await fill_name("{ecs_task}")
    async with ecs_agent() as agent:
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", agent.uri)
        agent.answers = [(500, {}), (200, {})]
        assert await fill_name("w-{ecs_task}") == "w-8f03e41243824aea923aca126495f665"


async def test_a_metadata_endpoint_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_METADATA_WITHIN", 0.3)
    async with ecs_agent() as agent:
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", agent.uri)
    with pytest.raises(UsageError, match=rf"{agent.uri}/task"):
        await fill_name("{ecs_task}")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{pot}", r"no placeholder \{pot\}"),
        ("{}", r"no placeholder \{\}"),
        ("{host", "holds '{'"),
        ("a b", "holds ' '"),
        ("x" * 81, "81 characters"),
        (" ", "holds ' '"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_once(template: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"--worker-name .*{problem}"):
        Settings(worker_name=template)
