"""What others' tools say of the files in deploy/."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.files import DEPLOY, TEXTS, documents

BIN = Path(sys.executable).parent
OPERATORS = {"ScaledObject", "ServiceMonitor", "TriggerAuthentication"}
"""Kinds that Kubernetes itself does not know; `test_operators` reads them."""


def run(*command: str) -> str:
    """What a linter prints; it finds nothing wrong."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=DEPLOY, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_images_pass_hadolint():
    assert run(str(BIN / "hadolint"), "Dockerfile", "example/Dockerfile") == ""


def test_the_linter_of_images_sees_what_is_wrong(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN cd /tmp && sudo true\n")
    done = subprocess.run([str(BIN / "hadolint"), str(tmp_path / "Dockerfile")], capture_output=True, check=False)
    assert done.returncode == 1


def test_manifests_are_those_of_kubernetes():
    import kubernetes_validate

    seen = []
    for path in TEXTS:
        if path.startswith("kubernetes/"):
            for one in documents(path):
                seen.append(one["kind"])
                if one["kind"] not in OPERATORS:
                    kubernetes_validate.validate(one, "1.31", strict=True)
    assert {"Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"} <= set(seen)


@pytest.mark.parametrize("template", sorted(path for path in TEXTS if path.startswith(("ecs/", "starting/"))))
def test_templates_pass_cfn_lint(template: str):
    assert run(str(BIN / "cfn-lint"), "--template", template) == ""


def lint_policy(policy: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    """What cfn-lint says of a policy; it reads templates."""
    template = folder / "policy.json"
    own = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
    template.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Policy": own}}))
    command = [str(BIN / "cfn-lint"), "--template", str(template)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", [path for path in TEXTS if path.startswith("iam/")])
def test_policies_pass_cfn_lint(path: str, tmp_path: Path):
    done = lint_policy(json.loads(TEXTS[path]), tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("wrong", [{"Action": ["states:PollForTask"]}, {"Effect": "Permit"}, {"Actions": []}], ids=list)
def test_the_linter_of_policies_sees_what_is_wrong(wrong: dict[str, Any], tmp_path: Path):
    policy = json.loads(TEXTS["iam/worker.json"])
    policy["Statement"][0] |= wrong
    assert lint_policy(policy, tmp_path).returncode


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here")
@pytest.mark.parametrize("name", ["order-worker", "workflow-manager"])
def test_the_unit_passes_systemd(name: str, tmp_path: Path):
    text = TEXTS[f"systemd/{name}.service"].replace("/opt/workers/bin/workers", sys.executable)
    unit = tmp_path / f"{name}.service"
    unit.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", [path for path in TEXTS if path.endswith(".json")])
def test_every_json_file_is_json(path: str):
    assert json.loads(TEXTS[path])


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.compose-spec", "compose.yaml"), ("vendor.github-workflows", "../.github/workflows/*.yml")],
)
def test_files_follow_their_published_schemas(schema: str, files: str):
    assert "ok" in run(str(BIN / "check-jsonschema"), "--builtin-schema", schema, *map(str, sorted(DEPLOY.glob(files))))
