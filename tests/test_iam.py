"""What IAM is asked for: no more than the worker does."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from workers.arns import Place
from workers.cli.iam import iam
from workers.errors import UsageError
from workers.iam import manager_policy, worker_policy
from workers.machines.registration.role import PATH
from workers.manager.events.proof import MACHINE
from workers.payloads.progress import FOLDER
from workers.settings import Settings

PLACE = Place("aws", "eu-west-1", "123456789012")
STATES = "arn:aws:states:eu-west-1:123456789012"


def actions(policy: dict[str, Any]) -> dict[str, list[str]]:
    """The resources of each action."""
    found: dict[str, list[str]] = {}
    for one in policy["Statement"]:
        for action in one["Action"]:
            found.setdefault(action, []).extend(one["Resource"])
    return found


def test_a_worker_polls_and_reports_its_own_activities():
    found = actions(worker_policy(["add", "echo"], place=PLACE, settings=Settings(namespace="shop")))
    own = [f"{STATES}:activity:shop--add", f"{STATES}:activity:shop--echo"]
    assert found == dict.fromkeys(
        ["states:CreateActivity", "states:GetActivityTask", "states:SendTaskFailure", "states:SendTaskHeartbeat",
         "states:SendTaskSuccess"], own)  # fmt: skip


def test_without_names_it_may_run_any_and_with_no_create_make_none():
    found = actions(worker_policy([], place=PLACE, settings=Settings(create=False)))
    assert found["states:GetActivityTask"] == [f"{STATES}:activity:*"]
    assert "states:CreateActivity" not in found


def test_payloads_are_read_and_written_under_their_prefix_only():
    policy = worker_policy(["add"], place=PLACE, settings=Settings(payloads="s3://big/of/shop"), kms_key="arn:key")
    found = actions(policy)
    assert found["s3:GetObject"] == found["s3:PutObject"] == ["arn:aws:s3:::big/of/shop/*"]
    assert found["s3:ListBucket"] == ["arn:aws:s3:::big"]
    assert policy["Statement"][3]["Condition"] == {"StringLike": {"s3:prefix": ["of/shop", "of/shop/*"]}}
    assert found["kms:GenerateDataKey"] == ["arn:key"]
    assert found["s3:DeleteObject"] == [f"arn:aws:s3:::big/of/shop/{FOLDER}/*"]  # notes of progress alone
    bare = actions(worker_policy(["add"], place=PLACE, settings=Settings(payloads="s3://big")))
    assert bare["s3:DeleteObject"] == [f"arn:aws:s3:::big/{FOLDER}/*"]
    assert "s3:DeleteObject" not in actions(manager_policy(place=PLACE, payloads="s3://big/of/shop"))
    assert "s3:GetObject" not in actions(worker_policy(["add"], place=PLACE, settings=Settings(payloads="file:///x")))


def test_callbacks_and_ecs_are_asked_for_where_they_are_used():
    found = actions(worker_policy(["add"], place=PLACE, settings=Settings(), machines=["order"], cluster="prod"))
    assert found["states:SendTaskSuccess"] == [f"{STATES}:activity:add", f"{STATES}:stateMachine:order"]
    assert "states:GetActivityTask" in found
    assert found["ecs:UpdateTaskProtection"] == ["arn:aws:ecs:eu-west-1:123456789012:task/prod/*"]
    kept = worker_policy(["add"], place=PLACE, settings=Settings(ecs_protection=False), cluster="prod")
    assert "ecs:UpdateTaskProtection" not in actions(kept)


def test_a_manager_uses_its_own_namespace_tables_queue_and_role():
    policy = manager_policy(
        place=PLACE, database="dynamodb://flows", namespace="prod", events="changes", role="arn:aws:iam::1:role/r"
    )
    found = actions(policy)
    assert found["states:StartExecution"] == [f"{STATES}:stateMachine:prod--*", PLACE.state_machine(MACHINE)]
    assert found["states:StopExecution"] == [f"{STATES}:execution:prod--*:*"]
    assert found["dynamodb:PutItem"] == ["arn:aws:dynamodb:eu-west-1:123456789012:table/flows-*"]
    assert found["sqs:ReceiveMessage"] == ["arn:aws:sqs:eu-west-1:123456789012:changes"]
    assert found["iam:PassRole"] == ["arn:aws:iam::1:role/r"]
    assert "iam:CreateRole" not in found
    assert not {"s3:PutObject", "states:SendTaskSuccess"} & set(found)


def test_a_manager_makes_its_queue_and_its_rule_where_it_is_asked_to():
    found = actions(manager_policy(place=PLACE, events="changes", create_events=True, kms_key="arn:key"))
    queue = "arn:aws:sqs:eu-west-1:123456789012:changes"
    assert found["sqs:SetQueueAttributes"] == [queue, f"{queue}-dlq"]
    assert found["events:PutRule"] == ["arn:aws:events:eu-west-1:123456789012:rule/changes"]
    assert "events:PutRule" not in actions(manager_policy(place=PLACE, events="changes"))


@pytest.mark.parametrize("create_events", [True, False])
def test_a_manager_proves_that_events_come_in_whatever_namespace(create_events: bool):
    policy = manager_policy(
        place=PLACE, namespace="prod", events="changes", create_events=create_events, kms_key="arn:key"
    )
    needed = {
        PLACE.state_machine(MACHINE): _of("states", "CreateStateMachine DescribeStateMachine StartExecution"),
        "arn:aws:events:eu-west-1:123456789012:rule/of-a-stack": _of(
            "events", "DescribeRule ListRuleNamesByTarget TestEventPattern"
        ),
        "arn:key": _of("kms", "DescribeKey GetKeyPolicy"),
    }
    for resource, asked in needed.items():
        allowed = {
            action
            for one in policy["Statement"]
            for action in one["Action"]
            if any(fnmatchcase(resource, pattern) for pattern in one["Resource"])
        }
        assert asked <= allowed


def _of(service: str, operations: str) -> set[str]:
    return {f"{service}:{operation}" for operation in operations.split()}


def test_a_manager_that_makes_roles_passes_those_alone():
    found = actions(manager_policy(place=PLACE, kms_key="arn:key"))
    assert found["iam:CreateRole"] == found["iam:PassRole"] == ["arn:aws:iam::123456789012:role/sfn-workers/*"]
    assert PATH == "/sfn-workers/"
    assert found["kms:Decrypt"] == ["arn:key"]
    assert found["states:StartExecution"] == [f"{STATES}:stateMachine:*"]
    assert "dynamodb:PutItem" not in found


def test_a_manager_of_batch_looks_at_jobs_and_reads_their_results():
    found = actions(manager_policy(place=PLACE, batch=True, batch_results="results"))
    assert found["batch:DescribeJobs"] == ["*"]
    assert found["dynamodb:BatchGetItem"] == ["arn:aws:dynamodb:eu-west-1:123456789012:table/results"]
    assert not {"batch:DescribeJobs", "dynamodb:BatchGetItem"} & set(actions(manager_policy(place=PLACE)))


def test_every_action_is_an_operation_of_its_service():
    policy = worker_policy(["add"], place=PLACE, settings=Settings(payloads="s3://b"), kms_key="arn:k", cluster="c")
    manager = manager_policy(place=PLACE, database="dynamodb://flows", events="changes", callbacks="prod--shop",
                             create_events=True, batch=True, batch_results="r", kms_key="arn:k")  # fmt: skip
    services = {"states": "stepfunctions"}
    for action in actions(policy) | actions(manager):
        service, _, operation = action.partition(":")
        if action not in {"s3:ListBucket", "kms:Decrypt", "iam:PassRole", "dynamodb:ConditionCheckItem"}:
            assert operation in get_session().get_service_model(services.get(service, service)).operation_names


def run(*arguments: str) -> None:
    iam.main(list(arguments), standalone_mode=False)


def test_the_command_asks_aws_nothing_when_it_is_told_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    account = ("--account", "123456789012")
    run("worker", "examples.census:registry", *account)
    found = actions(json.loads(capsys.readouterr().out))
    assert f"{STATES}:activity:census-count" in found["states:GetActivityTask"]

    machine = tmp_path / "order.yaml"
    machine.write_text("start_at: A\nstates: {A: {type: task, resource: 'lambda:ship', end: true}}\n")
    run("machine", str(machine), *account)
    assert actions(json.loads(capsys.readouterr().out))["lambda:InvokeFunction"]
    run("manager", "--batch-queue", "low=queue", "--batch-results", "results", *account)
    assert {"batch:DescribeJobs", "dynamodb:BatchGetItem"} <= set(actions(json.loads(capsys.readouterr().out)))
    with pytest.raises(UsageError, match="not both"):
        run("worker", "examples.census:registry", "--activity", "add", *account)
    with pytest.raises(UsageError, match="no AWS credentials"):
        run("worker", "--activity", "add")
