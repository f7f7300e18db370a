"""Ports, paths, flags, variables and times in deploy/ are those of the program."""

import json
import re
import shlex
import sys
import tomllib

import pytest

from tests.deploy.files import ROOT, TEXTS, documents, manifest, variables
from tests.deploy.stack import FLEET, Stack
from workers.arns import Place, namespaced
from workers.cli.run import run
from workers.iam import worker_policy
from workers.loading import load_registry
from workers.settings import Settings
from workers.stepfunctions.client import POLL_HOLD
from workers.variables import unknown_variables
from workers.version import __version__

POD = manifest("deployment.yaml", "Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
STACK = Stack("ecs/worker.yaml", **FLEET).resources
(TASK,) = STACK["Task"]["Properties"]["ContainerDefinitions"]
(COMPOSE,) = documents("compose.yaml")


def unit() -> dict[str, list[str]]:
    """The values of each key of the systemd unit."""
    found: dict[str, list[str]] = {}
    for line in TEXTS["systemd/order-worker.service"].splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def environments() -> dict[str, dict[str, str]]:
    """The variables with which workers are started, by where."""
    return {
        "kubernetes": {one["name"]: one["value"] for one in CONTAINER["env"] if "value" in one},
        "ecs": {one["Name"]: one["Value"] for one in TASK["Environment"]},
        "systemd": dict(line.split("=", 1) for line in unit()["Environment"]),
        "compose": {key: str(value) for key, value in COMPOSE["services"]["worker"]["environment"].items()},
    }


STOPS = {
    "kubernetes": POD["terminationGracePeriodSeconds"],
    "ecs": TASK["StopTimeout"],
    "systemd": int(unit()["TimeoutStopSec"][0]),
    "compose": int(COMPOSE["services"]["worker"]["stop_grace_period"].removesuffix("s")),
}
"""Seconds from SIGTERM to SIGKILL."""


@pytest.mark.parametrize("path", [path for path in TEXTS if variables(TEXTS[path])])
def test_every_variable_is_read_by_the_program(path: str):
    assert unknown_variables(variables(TEXTS[path])) == []


@pytest.mark.parametrize("where", environments())
def test_the_settings_are_accepted(where: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in environments()[where].items():
        if name.startswith("WORKERS_"):
            monkeypatch.setenv(name, value)
    assert Settings().stop_grace


@pytest.mark.parametrize("where", STOPS)
def test_a_drain_fits_into_the_time_to_stop(where: str):
    said = environments()[where]
    assert STOPS[where] == float(said["WORKERS_STOP_GRACE"])
    assert STOPS[where] > POLL_HOLD + 10
    assert STOPS[where] > float(said.get("WORKERS_GRACE", Settings().grace))


def test_fargate_allows_no_longer_time_to_stop():
    assert STOPS["ecs"] <= 120


def test_probes_ask_for_pages_on_the_port_that_is_served():
    (port,) = CONTAINER["ports"]
    assert environments()["kubernetes"]["WORKERS_HEALTH_PORT"] == str(port["containerPort"])
    paths = {CONTAINER[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"/livez", "/readyz"}
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {port["name"]}
    service = manifest("service-monitor.yaml", "Service")["spec"]["ports"][0]
    assert service["port"] == port["containerPort"]
    monitor = manifest("service-monitor.yaml", "ServiceMonitor")["spec"]["endpoints"][0]
    assert (monitor["port"], monitor["path"]) == (service["name"], "/metrics")
    policy = manifest("network-policy.yaml", "NetworkPolicy")["spec"]["ingress"][0]["ports"][0]
    assert policy["port"] == port["containerPort"]
    image = TEXTS["Dockerfile"]
    assert f"WORKERS_HEALTH_PORT={port['containerPort']}" in image
    assert f"EXPOSE {port['containerPort']}\n" in image
    assert f":{environments()['ecs']['WORKERS_HEALTH_PORT']}/livez" in TASK["HealthCheck"]["Command"][-1]


def load_example() -> list[str]:
    """The names of the example's handlers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "deploy" / "example")
        patch.delitem(sys.modules, "handlers", raising=False)
        return [handler.name for handler in load_registry("handlers:registry")]


def commands() -> dict[str, list[str]]:
    """What is given to `workers`, by where."""
    example = re.search(r"^CMD (\[.*\])$", TEXTS["example/Dockerfile"], re.MULTILINE)
    assert example
    return {
        "example": json.loads(example[1]),
        "kubernetes": CONTAINER["args"],
        "ecs": TASK["Command"],
        "systemd": shlex.split(unit()["ExecStart"][0])[1:],
    }


@pytest.mark.parametrize("where", commands())
def test_workers_are_started_as_the_command_line_has_it(where: str):
    name, *arguments = commands()[where]
    assert name == "run"
    assert run.make_context("run", list(arguments)).params["registry"] == "handlers:registry"
    assert load_example() == ["add"]


def test_a_wait_in_the_queue_brings_one_more_on_ecs():
    alarm = STACK["QueueWait"]["Properties"]
    assert alarm["AlarmActions"] == ["OneMore"]
    steps = STACK["OneMore"]["Properties"]["StepScalingPolicyConfiguration"]
    assert steps["AdjustmentType"] == "ChangeInCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


def test_keda_watches_the_activity_that_the_pods_poll_and_the_job_that_prometheus_gives_them():
    (scaled,) = [one for one in documents("kubernetes/scaled-object.yaml") if one["kind"] == "ScaledObject"]
    (first,) = [one["metadata"] for one in scaled["spec"]["triggers"] if one["type"] == "aws-cloudwatch"]
    (add,) = load_example()
    name = namespaced(add, environments()["kubernetes"].get("WORKERS_NAMESPACE"))
    region = environments()["kubernetes"]["AWS_REGION"]
    assert first["awsRegion"] == region
    assert first["dimensionValue"] == Place("aws", region, "123456789012").activity(name)
    service = manifest("service-monitor.yaml", "Service")["metadata"]["name"]  # Prometheus' operator makes it the job
    asked = [one["metadata"]["query"] for one in scaled["spec"]["triggers"] if one["type"] == "prometheus"]
    assert {job for query in asked for job in re.findall(r'\bjob="([^"]*)"', query)} == {service}


def test_the_role_for_kubernetes_is_that_of_what_the_pods_are_told():
    said = environments()["kubernetes"]
    settings = Settings(namespace=said["WORKERS_NAMESPACE"], payloads=said["WORKERS_PAYLOADS"])
    wanted = worker_policy(load_example(), place=Place("aws", said["AWS_REGION"], "123456789012"), settings=settings)
    given = json.loads(TEXTS["iam/worker.json"])
    given["Statement"] = [one for one in given["Statement"] if one["Sid"] != "ScaleIn"]  # of ECS alone
    assert given == wanted


@pytest.mark.parametrize("stack", ["ecs/alarms.yaml", "ecs/manager.yaml", "ecs/worker.yaml"])
def test_every_alarm_does_something(stack: str):
    alarms = [one["Properties"] for one in documents(stack)[0]["Resources"].values() if one["Type"].endswith("::Alarm")]
    assert alarms
    assert [one["AlarmDescription"] for one in alarms if not one.get("AlarmActions")] == []


def test_a_task_that_is_alone_starts_a_worker_and_none_ever_ends_one():
    assert STACK["Waiting"]["Properties"]["DatapointsToAlarm"] == 1
    steps = STACK["FirstWorker"]["Properties"]["StepScalingPolicyConfiguration"]
    assert steps["AdjustmentType"] == "ChangeInCapacity"
    assert [step["ScalingAdjustment"] for step in steps["StepAdjustments"]] == [1]


def test_systemd_ends_the_worker_first_and_what_is_left_later():
    assert unit()["KillMode"] == ["mixed"]


def test_both_units_run_on_one_machine():
    ports = [
        port
        for path, text in TEXTS.items()
        if path.startswith("systemd/")
        for port in re.findall(r"^Environment=WORKERS_\w+_PORT=(\d+)$", text, re.MULTILINE)
    ]
    assert len(set(ports)) == len(ports) == 2


def test_pods_reach_what_hands_out_credentials():
    agent = {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"protocol": "TCP", "port": 80}]}
    for path in ("network-policy.yaml", "manager.yaml"):
        assert agent in manifest(path, "NetworkPolicy")["spec"]["egress"]


def test_images_are_those_of_this_version():
    said = re.findall(r"\b(workers[\w-]*):(\d+\.\d+\.\d+)", "".join(TEXTS.values()))
    assert set(said) == {("workers", __version__), ("workers-all", __version__)}


def test_every_image_is_built_with_one_choice_of_extras():
    pages = "\n".join([*TEXTS.values(), *(path.read_text() for path in (ROOT / "docs").rglob("*.md"))])
    built = re.findall(r"\bdocker build .*--tag (\S+)(?:.*EXTRAS=(\S+))?", pages)
    choices = {tag: {extras for one, extras in built if one == tag} for tag, _ in built}
    assert [tag for tag, extras in choices.items() if len(extras) > 1] == []
    used = {one["image"] for one in COMPOSE["services"].values() if one.get("image", "").startswith("workers")}
    (base,) = re.findall(r"^FROM (\S+)$", TEXTS["example/Dockerfile"], re.MULTILINE)
    assert used | {base} <= choices.keys()
    assert base not in used


def test_extras_of_images_are_those_of_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pages = "".join([*TEXTS.values(), (ROOT / "docs/how-to/deploy.md").read_text()])
    said = re.findall(r"\bEXTRAS=([\w,-]+)", pages)
    assert len(said) >= 4
    assert {extra for one in said for extra in one.split(",")} <= extras.keys()


def test_what_the_image_copies_is_let_through():
    let = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", TEXTS["Dockerfile"], re.MULTILINE)
    assert {name for line in copied for name in line.split()} == let
    assert all((ROOT / name).exists() for name in let)
