"""`workers machines` and `workers activities`, on the engine."""

import json
from pathlib import Path

import click
import pytest
import yaml

from tests.account import PREFIX, ROLE, unique
from tests.cli.commands import Line
from workers.cli.main import cli

ADDER = """\
start_at: Add
timeout_seconds: 600
states:
  Add:
    type: task
    resource: {activity}
    timeout_seconds: 60
    heartbeat_seconds: 20
    retry:
    - error_equals: States.Timeout
    end: true
"""


@pytest.fixture
def adder(tmp_path: Path) -> Path:
    """A file with a machine, and an activity of its own."""
    file = tmp_path / f"{unique('adder')}.yaml"
    file.write_text(ADDER.format(activity=unique("add")))
    return file


def activity_of(file: Path) -> str:
    return yaml.safe_load(file.read_text())["states"]["Add"]["resource"]


def test_a_file_is_judged(line: Line, adder: Path, tmp_path: Path) -> None:
    assert line.ok("machines", "validate", str(adder)).out == f"{adder}: fine\n"

    broken = tmp_path / "broken.yaml"
    broken.write_text(ADDER.format(activity="add").replace("end: true", "next: Nowhere"))
    said = line("machines", "validate", str(broken), str(adder))
    assert said.code == 1
    assert f"{broken}: line 11: states.Add.next: " in said.out
    assert f"{adder}: fine" in said.out

    found = line("machines", "validate", "--json", str(broken)).json
    assert [(one["file"], one["line"], one["path"], one["severity"]) for one in found] == [
        (str(broken), 11, "states.Add.next", "error")
    ]

    hasty = tmp_path / "hasty.yaml"
    hasty.write_text(ADDER.format(activity="add").replace("    heartbeat_seconds: 20\n", ""))
    assert "warning" in line.ok("machines", "validate", str(hasty)).out
    assert line("machines", "validate", "--strict", str(hasty)).code == 1


def test_a_machine_from_file_to_account_and_back(line: Line, adder: Path, local) -> None:
    name, activity = adder.stem, activity_of(adder)
    said = line("machines", "diff", str(adder))
    assert (said.code, said.out.splitlines()[:2]) == (
        1,
        [f"activity {activity}: missing", f"state machine {name}: missing"],
    )

    put = line.ok("machines", "put", str(adder), "--tag", "team=a", "--role", ROLE).out.splitlines()
    assert put == [f"activity {activity}: created", f"state machine {name}: created", f"{PREFIX}:stateMachine:{name}"]
    assert line.ok("machines", "put", str(adder)).out.splitlines()[0] == "nothing to change"
    assert line.ok("machines", "diff", str(adder), "--json").json["changes"] == []

    shown = line.ok("machines", "show", name).out
    assert shown.startswith(f"# {PREFIX}:stateMachine:{name}\n# standard, created ")
    assert f"# role: {ROLE}\n" in shown
    adder.write_text(shown)  # what is printed is a file for put
    assert line.ok("machines", "put", str(adder)).out.splitlines()[0] == "nothing to change"
    assert json.loads(line.ok("machines", "show", name, "--asl").out)["States"]["Add"]["Type"] == "Task"
    found = line.ok("machines", "show", name, "--json").json
    assert (found["type"], found["definition"]["states"]["Add"]["resource"]) == ("STANDARD", activity)

    adder.write_text(ADDER.format(activity=activity).replace("600", "700"))
    changed = line("machines", "diff", str(adder))
    assert changed.code == 1
    assert changed.out.splitlines()[0] == "definition: differs"
    assert "+timeout_seconds: 700" in changed.out
    moved = line.ok(
        "machines", "put", str(adder), "--alias", "prod", "--log-level", "ALL", "--log-group", "logs", "--log-data",
        "--tracing", "--json",
    ).json  # fmt: skip
    assert [change["what"] for change in moved["changes"]] == [
        "definition",
        "logging",
        "tracing",
        "version 1",
        "alias prod",
    ]
    assert (moved["version"], moved["alias"]) == (f"{moved['arn']}:1", f"{moved['arn']}:prod")

    assert name in line.ok("machines", "list").out
    assert name in [machine["name"] for machine in line.ok("machines", "list", "--json").json]
    assert line.ok("machines", "delete", name).out == f"state machine {name}: deleted\n"
    assert line.ok("machines", "delete", name).out == "nothing to delete\n"
    assert line.ok("machines", "delete", name, "--json").json == []


def test_a_namespace_is_kept_apart(line: Line, adder: Path, local) -> None:
    space = ["--namespace", unique("team")]
    name = f"{space[1]}--{adder.stem}"
    assert line.ok("machines", "put", str(adder), *space).out.splitlines()[-1] == f"{PREFIX}:stateMachine:{name}"
    assert [machine["name"] for machine in line.ok("machines", "list", "--json", *space).json] == [name]
    listed = line.ok("activities", "list", "--json", *space).json
    assert [activity["name"] for activity in listed] == [f"{space[1]}--{activity_of(adder)}"]
    assert f"resource: {activity_of(adder)}\n" in line.ok("machines", "show", adder.stem, *space).out


def test_warnings_are_said_beside_the_result(line: Line, adder: Path, local) -> None:
    adder.write_text(adder.read_text().replace("    heartbeat_seconds: 20\n", ""))
    said = line.ok("machines", "put", str(adder))
    assert "no-heartbeat" in said.err
    assert "no-heartbeat" not in said.out


def test_a_role_of_its_own(line: Line, tmp_path: Path, local) -> None:
    file = tmp_path / f"{unique('caller')}.yaml"
    file.write_text("start_at: Call\nstates:\n  Call: {type: task, resource: 'lambda:f', end: true}\n")
    said = line.ok("machines", "put", str(file), "--create-role").out.splitlines()
    assert said[0] == f"role us-east-1-{file.stem}: created"
    said = line.ok("machines", "delete", file.stem).out.splitlines()
    assert said == [f"state machine {file.stem}: deleted", f"role us-east-1-{file.stem}: deleted"]


def test_machines_are_drawn(line: Line, adder: Path, tmp_path: Path, local) -> None:
    assert "Add" in line.ok("machines", "graph", str(adder)).out
    assert line.ok("machines", "graph", str(adder), "--format", "mermaid").out.startswith("flowchart TD")
    picture = tmp_path / "adder.svg"
    assert line.ok("machines", "graph", str(adder), "-o", str(picture)).out == ""
    assert picture.read_text().startswith("<svg")
    line.ok("machines", "put", str(adder))
    assert line.ok("machines", "graph", adder.stem, "--format", "svg").out.startswith("<svg")
    line.ok("machines", "graph", adder.stem, "-o", str(tmp_path / "adder.txt"))
    assert "Add" in (tmp_path / "adder.txt").read_text()
    refused = line.refused("machines", "graph", str(adder), "-o", str(tmp_path / "no" / "x.svg"))
    assert refused.startswith("cannot write ")


def test_machines_are_drawn_as_json(line: Line, adder: Path, tmp_path: Path, local) -> None:
    drawn = line.ok("machines", "graph", str(adder), "--json").json
    assert drawn["start"] == "Add"
    assert [(state["name"], state["type"], state["ends"]) for state in drawn["states"]] == [("Add", "Task", True)]
    assert drawn["ways"] == []
    file = tmp_path / "adder.json"
    line.ok("machines", "graph", str(adder), "-o", str(file))
    assert json.loads(file.read_text()) == drawn
    refused = line.refused("machines", "graph", str(adder), "--json", "--format", "svg")
    assert refused == "--format svg and --json are two formats: choose one"


def test_a_file_that_does_not_say_its_format_is_not_written(line: Line, adder: Path, tmp_path: Path, local) -> None:
    picture = tmp_path / "adder.png"
    assert "does not say its format: end it with .svg, " in line.refused(
        "machines", "graph", str(adder), "-o", str(picture)
    )
    assert not picture.exists()
    line.ok("machines", "graph", str(adder), "-o", str(tmp_path / "ADDER.SVG"))
    assert (tmp_path / "ADDER.SVG").read_text().startswith("<svg")


def test_activities(line: Line, local) -> None:
    one, other = sorted((unique("one"), unique("other")))
    assert line.ok("activities", "put", one).out == f"{PREFIX}:activity:{one}: created\n"
    assert line.ok("activities", "put", one, other, "--json").json == {"created": [f"{PREFIX}:activity:{other}"]}
    assert line.ok("activities", "put", one).out == "nothing to change\n"
    assert f"arn      {PREFIX}:activity:{one}\n" in line.ok("activities", "show", one).out
    assert line.ok("activities", "show", f"{PREFIX}:activity:{one}", "--json").json["name"] == one
    assert other in line.ok("activities", "list").out
    assert line.ok("activities", "delete", one, other).out.splitlines() == [
        f"{PREFIX}:activity:{name}: deleted" for name in (one, other)
    ]
    assert line.ok("activities", "delete", one, "--json").json == {"deleted": [f"{PREFIX}:activity:{one}"]}
    assert "ActivityDoesNotExist" in line.refused("activities", "show", one)


def test_what_cannot_be_is_said_in_one_line(line: Line, adder: Path, local, monkeypatch: pytest.MonkeyPatch) -> None:
    assert line.refused("machines", "show", "nope").startswith("DescribeStateMachine: StateMachineDoesNotExist: ")
    assert line.refused("machines", "show", "no pe").startswith("the state machine name 'no pe' holds ' '")
    assert line.refused("machines", "put", "nope.yaml").startswith("cannot read nope.yaml: ")
    assert line.refused("machines", "validate", "nope.yaml").startswith("cannot read nope.yaml: ")
    assert line.refused("machines", "put", str(adder), "--tag", "team").startswith("--tag 'team' is no tag")
    assert line.refused("machines", "put", str(adder), "--log-group", "x").startswith("--log-group and --log-data say")
    assert line.refused("machines", "put", str(adder), "--name", "a/b").startswith("the state machine name 'a/b' holds")
    assert line.refused("machines", "put", str(adder), "--role", ROLE, "--create-role").startswith("either a role is")
    assert line.refused("machines", "put", str(adder), "--role", "me").startswith("'me' is not the ARN of a role")
    assert line.refused("machines", "list", "--namespace", "a b").startswith("--namespace (or WORKERS_NAMESPACE)")
    assert line.refused("machines", "pit").startswith("No such command 'pit'")
    monkeypatch.setenv("WORKERS_LOCAL_PORT", "1")
    assert line.refused("machines", "list").startswith("no embedded Step Functions answers at http://127.0.0.1:1")
    monkeypatch.setenv("WORKERS_LOCAL", "false")
    assert line.refused("machines", "list").startswith("no AWS region is set")


def test_a_broken_file_is_a_problem_and_not_bad_usage(line: Line, adder: Path, local) -> None:
    adder.write_text(adder.read_text().replace("start_at: Add", "start_at: Sub"))
    for command in ("put", "diff", "graph"):
        said = line("machines", command, str(adder))
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"{adder} has ")
        assert "line 1: start_at: " in said.err


@pytest.mark.parametrize("group", ["machines", "activities", "executions"])
def test_every_command_explains_itself(line: Line, group: str) -> None:
    said = line.ok(group, "--help").out
    commands = [row.split()[0] for row in said.partition("Commands:\n")[2].splitlines()]
    assert commands
    for command in commands:
        assert line.ok(group, command, "--help").out.startswith(f"Usage: workers {group} {command} ")


@pytest.mark.parametrize("group", ["machines", "activities", "executions"])
def test_every_command_has_json_for_programs(group: str) -> None:
    context = click.Context(cli)
    commands = cli.get_command(context, group)
    assert isinstance(commands, click.Group)
    names = commands.list_commands(context)
    assert names
    for name in names:
        command = commands.get_command(context, name)
        assert command
        assert any("--json" in option.opts for option in command.params), f"workers {group} {name} has no --json"


def test_the_notation_is_rendered_and_converted_as_json(line: Line, adder: Path, tmp_path: Path, local) -> None:
    rendered = line.ok("machines", "render", str(adder), "--to", "notation", "--json").json
    assert rendered == yaml.safe_load(adder.read_text())
    for target in ("asl", "cloudformation", "terraform"):
        plain = line.ok("machines", "render", str(adder), "--to", target)
        assert line.ok("machines", "render", str(adder), "--to", target, "--json").json == plain.json

    stepwise = tmp_path / "adder.edn"
    stepwise.write_text("{:start-at :add :states {:add {:type :task :resource :add :end true}}}")
    converted = line.ok("machines", "convert", str(stepwise), "--json").json
    assert converted == yaml.safe_load(line.ok("machines", "convert", str(stepwise)).out)
    assert converted["states"]["add"]["type"] == "task"


def test_a_machine_is_rendered_for_an_account_that_nobody_can_ask(
    line: Line, adder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    said = line.ok("machines", "render", str(adder), "--account", "111122223333", "--namespace", "team")
    arn = f"arn:aws-cn:states:cn-north-1:111122223333:activity:team--{activity_of(adder)}"
    assert said.json["States"]["Add"]["Resource"] == arn
    assert "no AWS credentials" in line.refused("machines", "render", str(adder))


def test_a_machine_is_rendered_for_other_tools(line: Line, adder: Path, local) -> None:
    activity = activity_of(adder)
    asl = json.loads(line.ok("machines", "render", str(adder)).out)
    assert asl["States"]["Add"]["Resource"] == f"{PREFIX}:activity:{activity}"
    (adder.parent / "adder.json").write_text(json.dumps(asl))
    again = line.ok("machines", "render", str(adder.parent / "adder.json"), "--to", "notation").out
    assert yaml.safe_load(again)["states"]["Add"]["timeout_seconds"] == 60
    short = line.ok("machines", "render", str(adder), "--to", "notation").out
    assert yaml.safe_load(short) == yaml.safe_load(adder.read_text())

    template = json.loads(line.ok("machines", "render", str(adder), "--to", "cloudformation", "--name", "sum").out)
    assert template["Resources"]["StateMachine"]["Properties"]["StateMachineName"] == "sum"
    terraform = json.loads(line.ok("machines", "render", str(adder), "--to", "terraform", "--namespace", "team").out)
    (machine,) = terraform["resource"]["aws_sfn_state_machine"].values()
    assert machine["name"] == f"team--{adder.stem}"
