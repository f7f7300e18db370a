"""What exists in an engine that is asked all kinds of things, and how it is asked."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from botocore.loaders import Loader
from hypothesis import HealthCheck, settings

from tests.account import PREFIX, ROLE, unique
from tests.local.helpers import PASS, WAIT

MODEL: dict[str, Any] = Loader().load_service_model("stepfunctions", "service-2")
OPERATIONS = sorted(MODEL["operations"])
SECONDS = 20
"""In which every request must be answered."""

FUZZ = settings(max_examples=20, suppress_health_check=list(HealthCheck))

FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}
EACH = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {**WAIT, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
            "End": True,
        }
    },
}


class Known:
    """Things that exist, so that requests may be about something. Made anew for each test: some delete them."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self.machine = self._machine(PASS)
        self.express = self._machine(PASS, type="EXPRESS")
        self.version = self._ask("PublishStateMachineVersion", stateMachineArn=self.machine)["stateMachineVersionArn"]
        routes = [{"stateMachineVersionArn": self.version, "weight": 100}]
        made = self._ask("CreateStateMachineAlias", name="alias", routingConfiguration=routes)
        self.alias = made["stateMachineAliasArn"]
        self.execution = self._start(self._machine(FAIL))
        self.activity = self._ask("CreateActivity", name=unique("fuzz"))["activityArn"]
        task = {"Type": "Task", "Resource": self.activity, "End": True}
        self.running = self._start(self._machine({"StartAt": "T", "States": {"T": task}}))
        self.token = self._ask("GetActivityTask", activityArn=self.activity)["taskToken"]
        listed = self._ask("ListMapRuns", executionArn=self._start(self._machine(EACH)))
        self.map_run = listed["mapRuns"][0]["mapRunArn"]
        made_up = [f"{PREFIX}:{kind}:none" for kind in ("activity", "stateMachine", "execution:none", "mapRun:none")]
        self.arns = [self.machine, self.version, self.activity, self.execution, f"{self.machine}:1", *made_up, ROLE]
        self.arns += ["arn:aws", self.express, self.alias, self.running, self.map_run]

    def _machine(self, definition: Any, **options: str) -> str:
        made = {"name": unique("fuzz"), "definition": json.dumps(definition), "roleArn": ROLE, **options}
        return str(self._ask("CreateStateMachine", **made)["stateMachineArn"])

    def _start(self, machine: str) -> str:
        return str(self._ask("StartExecution", stateMachineArn=machine, input="[1, 2]")["executionArn"])

    def _ask(self, operation: str, **request: Any) -> dict[str, Any]:
        status, answer = self._wire.send(operation, json.dumps(request).encode())
        assert status == 200, answer
        return dict(answer)


class Wire:
    """A connection that sends whatever it is given."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)

    def send(self, operation: str, body: bytes) -> tuple[int, Any]:
        """Status and answer."""
        headers = {
            "X-Amz-Target": f"AWSStepFunctions.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/states/aws4_request",
        }
        self._connection.request("POST", "/", body, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def close(self) -> None:
        self._connection.close()


def check(status: int, answer: Any, what: object) -> None:
    assert status in {200, 400}, (status, answer, what)
    assert isinstance(answer, dict)
    if status == 400:
        assert answer["__type"], what
        assert isinstance(answer["message"], str), what
