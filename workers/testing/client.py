"""The engine of the tests, asked without HTTP from the event loop of any test: a connection costs more than a call."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workers.local import LocalStepFunctions
from workers.local.http.messages import Request
from workers.settings import Settings
from workers.stepfunctions.account import Account
from workers.stepfunctions.connection import LOCAL_PLACE, Connection
from workers.stepfunctions.faults import refused_by_service
from workers.stepfunctions.protocol import ActivityTask, TransientError


class EngineClient:
    """A client of an embedded Step Functions of this process; implements `StepFunctions`."""

    def __init__(self, engine: LocalStepFunctions) -> None:
        self._engine = engine

    async def get_activity_task(self, activity_arn: str, worker_name: str) -> ActivityTask | None:
        """See `StepFunctions`."""
        answer = await self.ask("GetActivityTask", {"activityArn": activity_arn, "workerName": worker_name})
        token = answer.get("taskToken")
        return ActivityTask(token, answer["input"]) if token else None

    async def send_task_success(self, token: str, output: str) -> None:
        """See `StepFunctions`."""
        await self.ask("SendTaskSuccess", {"taskToken": token, "output": output})

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        """See `StepFunctions`."""
        await self.ask("SendTaskFailure", {"taskToken": token, "error": error, "cause": cause})

    async def send_task_heartbeat(self, token: str) -> None:
        """See `StepFunctions`."""
        await self.ask("SendTaskHeartbeat", {"taskToken": token})

    async def create_activity(self, name: str) -> None:
        """See `StepFunctions`."""
        await self.ask("CreateActivity", {"name": name})

    async def ask(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to any call; times are seconds since 1970. Raises `ServiceError`."""
        target = ("X-Amz-Target", f"AWSStepFunctions.{operation}")
        answer = await self._engine.answer(Request("POST", "/", [target], json.dumps(parameters).encode()))
        if answer is None:
            raise TransientError(operation, "AnswerLost", "the engine did not answer")
        document: dict[str, Any] = json.loads(answer.body)
        if answer.status == 200:
            return document
        code, message = str(document.get("__type", "")), str(document.get("message", ""))
        raise refused_by_service(operation, code=code, status=answer.status, message=message)


class EngineAccount(Account):
    """The account that the engine plays, asked through an `EngineClient`."""

    def __init__(self, settings: Settings, client: EngineClient) -> None:
        super().__init__(Connection(None, settings.local_url), LOCAL_PLACE, settings, client)
        self.engine_client = client

    async def call(self, operation: str, /, *, created: float | None = None, **parameters: Any) -> dict[str, Any]:
        """See `Account`; here nothing is seen late, and nothing has to be repeated."""
        del created
        given = {name: value for name, value in parameters.items() if value is not None}
        answer: dict[str, Any] = _dated(await self.engine_client.ask(operation, given))
        return answer

    async def start_sync_execution(self, **parameters: Any) -> dict[str, Any]:
        """See `Account`."""
        return await self.call("StartSyncExecution", **parameters)


def _dated(value: Any, name: str = "") -> Any:
    """`value`, in which numbers that are times (seconds since 1970) are datetimes."""
    if isinstance(value, dict):
        return {key: _dated(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_dated(member) for member in value]
    if isinstance(value, int | float) and (name == "timestamp" or name.endswith("Date")):
        return datetime.fromtimestamp(value, UTC)
    return value
