"""What the pages let operators do: alarms have runbooks, roles are for somebody, commands are ones that AWS has."""

import json
import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from tests.deploy.files import DEPLOY, ROOT, TEXTS, documents
from tests.deploy.test_operators import problem
from tests.docs.test_blocks import BLOCK, PAGES

RUNBOOKS = (ROOT / "docs" / "how-to" / "runbooks.md").read_text()
DEPLOYING = (ROOT / "docs" / "how-to" / "deploy.md").read_text()
CUSTOM = {"cloudformation deploy", "ecr get-login-password"}
"""Commands that the AWS CLI has besides those of the API."""


def shell(text: str) -> str:
    """The shell blocks of a page, with one command in each line."""
    return re.sub(r"\\\n\s*", "", "\n".join(one["text"] for one in BLOCK.finditer(text) if one["language"] == "bash"))


def alarms() -> set[str]:
    """Every alarm that tells somebody."""
    found = {rule["alert"] for group in documents("prometheus/alerts.yaml")[0]["groups"] for rule in group["rules"]}
    for path in TEXTS:
        if path.startswith("ecs/"):
            for name, one in documents(path)[0]["Resources"].items():
                if one["Type"] == "AWS::CloudWatch::Alarm" and "AlarmTopic" in str(one["Properties"]["AlarmActions"]):
                    found.add(name)
    return found


def test_every_alarm_has_a_runbook():
    table = RUNBOOKS.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+`) \| \[.+\]\(#.+\) \|$", table, re.MULTILINE)
    named = [name for row in rows for name in row.replace("`", "").split(", ")]
    assert sorted(named) == sorted(alarms())


def test_the_operator_of_prometheus_takes_what_the_page_sends_it():
    (command,) = re.findall(r"^(\{ printf .+?\}) \| kubectl apply --filename -$", DEPLOYING, re.MULTILINE | re.DOTALL)
    printed = subprocess.run(["bash", "-euc", command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert problem(yaml.safe_load(printed)) == ""


def roles() -> dict[str, tuple[str, str]]:
    """The roles that the page makes: who may take each, and what it may do."""
    lines = shell(DEPLOYING)
    made = dict(re.findall(r"iam create-role --role-name (\S+) --assume-role-policy-document file://(\S+)", lines))
    may = dict(re.findall(r"iam put-role-policy --role-name (\S+) .*--policy-document file://(\S+)", lines))
    assert made.keys() == may.keys()
    return {name: (made[name], may[name]) for name in made}


def test_every_policy_and_every_trust_is_of_a_role():
    files = {f"deploy/{path}" for path in TEXTS if path.startswith(("iam/", "trust/"))}
    assert {file for pair in roles().values() for file in pair} == files


@pytest.mark.parametrize("path", [path for path in TEXTS if path.startswith("trust/")])
def test_what_says_who_may_take_a_role_is_what_a_role_takes(path: str, tmp_path: Path):
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(TEXTS[path])}}
    (tmp_path / "role.json").write_text(json.dumps({"Resources": {"Role": role}}))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--template", str(tmp_path / "role.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=DEPLOY, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_pods_get_the_roles_that_are_made_for_them():
    found = re.findall(r"--service-account (\S+) --role-arn arn:aws:iam::123456789012:role/(\S+)", shell(DEPLOYING))
    accounts = {
        one["metadata"]["name"]
        for path in TEXTS
        if path.startswith("kubernetes/")
        for one in documents(path)
        if one["kind"] == "ServiceAccount"
    }
    assert {account for account, _ in found} == accounts
    assert {role for _, role in found} == {name for name, (trust, _) in roles().items() if trust.endswith("pods.json")}


AWS = sorted({line for page in PAGES for line in shell(page.read_text()).splitlines() if line.startswith("aws ")})


@pytest.mark.parametrize("line", AWS, ids=lambda line: " ".join(line.split()[1:3]))
def test_a_command_of_the_aws_cli_is_one_of_the_api(line: str):
    import botocore.session
    from botocore import xform_name

    lexer = shlex.shlex(line, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    _, service, operation, *rest = takewhile(lambda word: word != "|", lexer)
    if f"{service} {operation}" in CUSTOM:
        return
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [one for one in model.operation_names if xform_name(one, "-") == operation]
    shape = model.operation_model(name).input_shape
    assert shape is not None
    given = {word.removeprefix("--") for word in rest if word.startswith("--")}
    possible = {xform_name(member, "-"): member in shape.required_members for member in shape.members}
    assert given <= possible.keys()
    assert {member for member, needed in possible.items() if needed} <= given
