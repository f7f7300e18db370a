"""What containers may do, where they may write, and that their health is asked for at the port that they have."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.deploy.files import TEXTS, documents

IMAGE = TEXTS["Dockerfile"]
FOUND = [one for path in TEXTS if path.startswith("kubernetes/") for one in documents(path)]
DEPLOYMENTS = {one["metadata"]["name"]: one for one in FOUND if one["kind"] == "Deployment"}
SELECTORS = {
    "Deployment": ("selector", "matchLabels"),
    "NetworkPolicy": ("podSelector", "matchLabels"),
    "PodDisruptionBudget": ("selector", "matchLabels"),
    "Service": ("selector",),
}
"""Where the labels of the pods stand that something is about."""


def of(*kinds: str) -> list[Any]:
    return [pytest.param(one, id=f"{one['kind']} {one['metadata']['name']}") for one in FOUND if one["kind"] in kinds]


def volumes() -> list[str]:
    """The paths with a VOLUME in the image."""
    return [path for value in re.findall(r"^VOLUME (.+)$", IMAGE, re.MULTILINE) for path in json.loads(value)]


@pytest.mark.parametrize("stack", ["worker", "manager"])
def test_what_fargate_mounts_is_a_volume_of_the_image_that_its_user_may_write_to(stack: str):
    (task,) = documents(f"ecs/{stack}.yaml")[0]["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    assert task["ReadonlyRootFilesystem"] is True
    assert "User" not in task
    mounted = {one["ContainerPath"] for one in task["MountPoints"]}
    assert "/tmp" in mounted
    assert mounted <= set(volumes())
    # All of them are the base image's /tmp, open to all; another must be made and given to the user before its VOLUME.
    assert volumes() == ["/tmp"]
    assert not re.search(r"\b(?:chmod|chown)\b", IMAGE)


def test_kubernetes_gives_volumes_where_fargate_does():
    for deployment in DEPLOYMENTS.values():
        pod = deployment["spec"]["template"]["spec"]
        empty = {one["name"] for one in pod["volumes"] if "emptyDir" in one}
        mounts = [mount for one in pod["containers"] for mount in one["volumeMounts"]]
        assert {one["mountPath"] for one in mounts if one["name"] in empty} == {"/tmp"}


@pytest.mark.parametrize("deployment", of("Deployment"))
def test_pods_may_do_no_more_than_they_need(deployment: Any):
    pod = deployment["spec"]["template"]["spec"]
    assert pod["enableServiceLinks"] is False  # a Service named `workers` would add WORKERS_… variables
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert re.findall(r"^USER (.+)$", IMAGE, re.MULTILINE) == [f"{context['runAsUser']}:{context['runAsGroup']}"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize("one", of(*SELECTORS))
def test_selectors_are_labels_of_the_pods(one: Any):
    labels = one["spec"]
    for key in SELECTORS[one["kind"]]:
        labels = labels[key]
    assert labels
    pods = DEPLOYMENTS[one["metadata"]["name"]]["spec"]["template"]["metadata"]["labels"]
    assert labels.items() <= pods.items()


@pytest.mark.parametrize("one", of("ServiceMonitor"))
def test_monitors_select_the_labels_and_ports_of_a_service(one: Any):
    (service,) = [
        service
        for service in FOUND
        if service["kind"] == "Service"
        and one["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]
    ports = {port["name"] for port in service["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in one["spec"]["endpoints"]} <= ports


def test_scaling_is_of_a_deployment():
    (scaled,) = [one for one in FOUND if one["kind"] == "ScaledObject"]
    assert scaled["spec"]["scaleTargetRef"]["name"] in DEPLOYMENTS


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of something that answers /livez with `status`."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_image_asks_for_its_health_at_the_port_that_is_set(status: int, healthy: bool):
    found = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", IMAGE, re.MULTILINE)
    assert found
    python, *arguments = json.loads(found[1])
    assert python == "python"
    with answering(status) as port:
        environment = {**os.environ, "WORKERS_HEALTH_PORT": str(port)}
        done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) is healthy, done.stderr.decode()


def test_without_a_port_the_image_asks_at_the_one_that_it_exposes():
    (port,) = re.findall(r"^EXPOSE (\d+)$", IMAGE, re.MULTILINE)
    assert f"WORKERS_HEALTH_PORT={port}\n" in IMAGE
    assert f"os.environ.get('WORKERS_HEALTH_PORT', '{port}')" in IMAGE
