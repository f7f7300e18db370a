"""Ports, paths, flags, variables and times in deploy/ are those of the program."""

import json
import re
import shlex
import sys
import tomllib

import pytest

from tests.deploy.files import ROOT, TEXTS, as_in_a_stack, documents, manifest, variables
from workers import emf
from workers.arns import Place
from workers.cli.run import run
from workers.iam import worker_policy
from workers.loading import load_registry
from workers.metrics import METRICS, Metrics
from workers.settings import Settings
from workers.stepfunctions.client import POLL_HOLD
from workers.variables import unknown_variables
from workers.version import __version__

POD = manifest("deployment.yaml", "Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
STACK = documents("ecs/worker.yaml")[0]["Resources"]
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


def commands() -> dict[str, list[str]]:
    """What is given to `workers`, by where."""
    example = re.search(r"^CMD (\[.*\])$", TEXTS["example/Dockerfile"], re.MULTILINE)
    assert example
    return {
        "example": json.loads(example[1]),
        "kubernetes": CONTAINER["args"],
        "systemd": shlex.split(unit()["ExecStart"][0])[1:],
    }


@pytest.mark.parametrize("where", commands())
def test_workers_are_started_as_the_command_line_has_it(where: str, monkeypatch: pytest.MonkeyPatch):
    name, *arguments = commands()[where]
    assert name == "run"
    assert run.make_context("run", list(arguments)).params["registry"] == "handlers:registry"
    monkeypatch.syspath_prepend(ROOT / "deploy" / "example")
    monkeypatch.delitem(sys.modules, "handlers", raising=False)
    assert [handler.name for handler in load_registry("handlers:registry")] == ["add"]


def test_the_scaling_on_ecs_watches_metrics_that_are_printed():
    asked = STACK["BySlots"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    names = {one["MetricStat"]["Metric"]["MetricName"] for one in asked["Metrics"] if "MetricStat" in one}
    assert names == {"workers_slots_used", "workers_pollers_open", "workers_slots"}
    assert names <= {metric.name for metric in METRICS}
    assert {one["MetricStat"]["Metric"]["Namespace"] for one in asked["Metrics"] if "MetricStat" in one} == {
        "sfn-workers"
    }
    assert environments()["ecs"]["WORKERS_METRICS"] == "emf"


def test_a_wait_in_the_queue_brings_one_more_on_ecs():
    alarm = STACK["QueueWait"]["Properties"]
    name, namespace, unit_of_it = alarm["MetricName"], alarm["Namespace"], alarm["Unit"]
    (metric,) = [one for one in METRICS if one.name == name]
    metrics = Metrics()
    metrics.observes(metric, ("add",))(2.0)
    written = [json.loads(line) for line in emf.EmbeddedLines(metrics.families, dict).lines()]
    (line,) = [one for one in written if name in one]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (namespace, alarm["Dimensions"]) == (directive["Namespace"], [{"Name": "activity", "Value": "Activity"}])
    assert directive["Dimensions"] == [["activity"]]
    assert {"Name": name, "Unit": unit_of_it} in directive["Metrics"]
    assert alarm["AlarmActions"] == ["OneMore"]
    steps = STACK["OneMore"]["Properties"]["StepScalingPolicyConfiguration"]
    assert steps["AdjustmentType"] == "ChangeInCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


def test_the_role_on_ecs_is_the_one_that_the_program_prints():
    (policy,) = STACK["WorkerRole"]["Properties"]["Policies"]
    place = Place("${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}")
    settings = Settings(payloads="s3://${Payloads}/${PayloadPrefix}")
    wanted = worker_policy([place.activity("NAME")], place=place, settings=settings, cluster="${Cluster}")

    wanted = as_in_a_stack(wanted)
    for statement in wanted["Statement"]:
        statement["Resource"] = statement["Resource"].replace("activity:NAME", "activity:${Activities}")
    assert policy["PolicyDocument"] == wanted


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


def test_images_are_those_of_this_version():
    said = set(re.findall(r"\bworkers:(\d+\.\d+\.\d+)", "".join(TEXTS.values())))
    assert said == {__version__}


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
