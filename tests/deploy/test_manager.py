"""What deploys the workflow manager fits the program: options, ports, times, tables, events, rights."""

import json
import re

import click
import pytest

from tests.deploy.files import ROOT, TEXTS, as_in_a_stack, documents, manifest
from tests.docs.tables import manager_metrics_rows
from workers import emf
from workers.arns import Place
from workers.callbacks.resources import MOST_RECEIVES
from workers.cli.main import cli
from workers.cli.serve import serve
from workers.iam import manager_policy
from workers.manager.api.measuring import Measures
from workers.manager.events import queue as events
from workers.manager.events.proof import MACHINE
from workers.manager.serving import _GRACE
from workers.manager.store.choice import open_store
from workers.manager.store.dynamodb.tables import Names
from workers.stepfunctions.connection import Connection

PAGE = (ROOT / "docs/how-to/deploy.md").read_text()
PLACE = Place("${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}")
POD = manifest("manager.yaml", "Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
STACK = documents("ecs/manager.yaml")[0]["Resources"]
(TASK,) = STACK["Task"]["Properties"]["ContainerDefinitions"]
COMPOSE = documents("compose.yaml")[0]["services"]["manager"]
UNIT = TEXTS["systemd/workflow-manager.service"]
ENVIRONMENTS = {
    "kubernetes": {one["name"]: one["value"] for one in CONTAINER["env"]},
    "ecs": {one["Name"]: one["Value"] for one in TASK["Environment"]},
    "compose": COMPOSE["environment"],
    "systemd": dict(re.findall(r"^Environment=(\w+)=(.*)$", UNIT, re.MULTILINE)),
}
STOPS = {
    "kubernetes": POD["terminationGracePeriodSeconds"],
    "ecs": TASK["StopTimeout"],
    "compose": int(COMPOSE["stop_grace_period"].removesuffix("s")),
    "systemd": int(re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)[0]),
}


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_the_variables_are_those_of_serve(where: str, monkeypatch: pytest.MonkeyPatch):
    said = {name: str(value) for name, value in ENVIRONMENTS[where].items() if name.startswith("WORKERS_SERVE_")}
    known = {str(one.envvar) for one in serve.params if isinstance(one, click.Option) and one.envvar}
    assert set(said) <= known | {"WORKERS_SERVE_TOKENS"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    given = serve.make_context("serve", []).params
    assert str(given["port"]) == said["WORKERS_SERVE_PORT"]
    assert given["database"] == said["WORKERS_SERVE_DATABASE"]


@pytest.mark.parametrize("where", ["kubernetes", "systemd"])
def test_the_database_is_one_that_there_is(where: str):
    assert open_store(ENVIRONMENTS[where]["WORKERS_SERVE_DATABASE"], connection=Connection(None, None))


@pytest.mark.parametrize("where", STOPS)
def test_an_orderly_end_fits_into_the_time_to_stop(where: str):
    assert STOPS[where] > _GRACE + 5


def test_it_is_started_by_serve_alone():
    assert CONTAINER["args"] == TASK["Command"] == COMPOSE["command"] == ["serve"]
    assert re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE) == ["/opt/workers/bin/workers serve"]


def test_probes_ask_for_the_page_that_is_open_on_the_port_that_is_served():
    (port,) = CONTAINER["ports"]
    assert ENVIRONMENTS["kubernetes"]["WORKERS_SERVE_PORT"] == str(port["containerPort"])
    probes = [CONTAINER[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert probes == [{"path": "/_health", "port": port["name"]}] * 3
    assert manifest("manager.yaml", "Service")["spec"]["ports"][0]["targetPort"] == port["name"]
    asked = f":{ENVIRONMENTS['ecs']['WORKERS_SERVE_PORT']}/_health"
    assert asked in TASK["HealthCheck"]["Command"][-1]
    assert TASK["PortMappings"] == [{"ContainerPort": int(ENVIRONMENTS["ecs"]["WORKERS_SERVE_PORT"])}]
    assert f":{ENVIRONMENTS['compose']['WORKERS_SERVE_PORT']}/_health" in COMPOSE["healthcheck"]["test"][-1]
    monitor = manifest("manager.yaml", "ServiceMonitor")["spec"]["endpoints"][0]
    assert monitor["path"] == "/metrics"


def test_the_tables_are_those_that_the_store_would_make():
    made = {
        table["Properties"]["TableName"]: table["Properties"]
        for table in STACK.values()
        if table["Type"] == "AWS::DynamoDB::Table"
    }
    for schema in Names("${Tables}").schemas():
        found = made.pop(schema["TableName"])
        assert {name: found[name] for name in schema} == schema
    assert made == {}
    assert STACK["Registry"]["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expires"


def test_the_alarm_on_what_is_unresolved_asks_for_a_metric_that_is_printed():
    (asked,) = STACK["WorkflowsUnresolved"]["Properties"]["Metrics"]
    found = re.fullmatch(r'SELECT MAX\((\w+)\) FROM SCHEMA\("([\w-]+)", (\w+)\)', asked["Expression"])
    assert found
    printed = {family.name: family for family in Measures().families()}
    assert found[1] in printed
    assert found[2] == emf.NAMESPACE
    assert [f"`{found[1]}`", "gauge", f"`{found[3]}`"] in [row[:3] for row in manager_metrics_rows()]
    assert ENVIRONMENTS["ecs"]["WORKERS_METRICS"] == "emf"


def test_events_come_by_a_queue_like_the_one_that_serve_makes():
    queue = STACK["Events"]["Properties"]
    assert queue["VisibilityTimeout"] == events._VISIBILITY
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_RECEIVES
    pattern = STACK["StatusChanges"]["Properties"]["EventPattern"]
    assert {name: pattern[name] for name in events.PATTERN} == events.PATTERN
    (statement,) = STACK["EventsFromTheRule"]["Properties"]["PolicyDocument"]["Statement"]
    made = json.loads(events._policy(None, "Events.Arn", "StatusChanges.Arn"))["Statement"][0]
    assert statement == {name: made[name] for name in statement}


def test_the_rule_lets_its_namespace_and_the_proof_that_events_come_through():
    machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine"
    passed = STACK["StatusChanges"]["Properties"]["EventPattern"]["detail"]["stateMachineArn"]
    assert passed == [{"prefix": f"{machine}:${{Namespace}}--"}, f"{machine}:{MACHINE}"]


@pytest.mark.parametrize("page", [TEXTS["kubernetes/manager.yaml"], PAGE], ids=["manifest", "page"])
def test_the_queue_that_pods_take_is_made_before_they_start(page: str):
    (command,) = re.findall(r"\bworkers (serve .*--create-events.*)", page)
    given = serve.make_context("serve", command.split()[1:]).params
    assert given["create_events"]
    assert given["events"] == ENVIRONMENTS["kubernetes"]["WORKERS_SERVE_EVENTS"]
    assert page.index(command) < page.rindex("WORKERS_SERVE_EVENTS")


@pytest.mark.parametrize("page", [TEXTS["kubernetes/manager.yaml"], PAGE], ids=["manifest", "page"])
def test_the_token_that_prometheus_sends_has_no_newline(page: str):
    authorization = manifest("manager.yaml", "ServiceMonitor")["spec"]["endpoints"][0]["authorization"]
    file = authorization["credentials"]["key"]
    assert f"--from-file={file}" in page
    assert re.search(rf"\bprintf %s \S+ > {file}\b", page)


def test_the_role_on_ecs_is_the_one_that_the_program_prints():
    (policy,) = STACK["ManagerRole"]["Properties"]["Policies"]
    wanted = manager_policy(
        place=PLACE,
        database=ENVIRONMENTS["ecs"]["WORKERS_SERVE_DATABASE"],
        payloads=ENVIRONMENTS["ecs"]["WORKERS_SERVE_PAYLOADS"],
        role="${MachineRole}",
        namespace="${Namespace}",
        events="${Tables}-events",
    )
    assert policy["PolicyDocument"] == as_in_a_stack(wanted)


COMMANDS = re.findall(r"^workers (iam .+) > (\S+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("command", "file"), COMMANDS, ids=[file for _, file in COMMANDS])
def test_the_policies_are_what_the_commands_print(
    command: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT / "deploy" / "example")
    monkeypatch.syspath_prepend(ROOT / "deploy" / "example")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    cli.main(command.split(), standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == json.loads(TEXTS[file.removeprefix("../")])


def test_every_policy_has_its_command():
    assert sorted(file.removeprefix("../") for _, file in COMMANDS) == [p for p in TEXTS if p.startswith("iam/")]
