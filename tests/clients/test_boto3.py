"""boto3."""

import time
from collections.abc import Mapping

import boto3
import pytest

from tests.clients.checks import check
from tests.clients.conftest import ROLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_it_creates_starts_and_reads(
    aws: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    definition: str,
    activities: list[str],
    inputs: dict[str, str],
) -> None:
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    client = boto3.session.Session().client("stepfunctions")
    for name in activities:
        client.create_activity(name=name)
    machine = client.create_state_machine(name="by-boto3", definition=definition, roleArn=ROLE)["stateMachineArn"]
    started = {
        package: client.start_execution(stateMachineArn=machine, input=given)["executionArn"]
        for package, given in inputs.items()
    }
    pages = client.get_paginator("get_execution_history")
    for package, arn in started.items():
        while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.1)
        events = [
            event
            for page in pages.paginate(executionArn=arn, PaginationConfig={"PageSize": 20})
            for event in page["events"]
        ]
        check(package, execution, events)
    client.close()
