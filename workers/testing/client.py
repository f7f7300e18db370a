"""The engine of the tests, asked by the fast client alone: one of the AWS SDK costs more than an execution takes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from workers.arns import LOCAL_REGION
from workers.settings import Settings
from workers.stepfunctions.account import Account
from workers.stepfunctions.client import REPORT_READ_TIMEOUT
from workers.stepfunctions.connection import LOCAL_PLACE, Connection
from workers.stepfunctions.fast.client import FastClient
from workers.stepfunctions.fast.pool import Endpoint

_CONNECTIONS = 100


class _Keys:
    """Credentials, of which the engine has no need."""

    access_key = "local"
    secret_key = "local"  # noqa: S105 - it opens nothing
    token: str | None = None

    async def get_frozen_credentials(self) -> Self:
        return self


class EngineClient(FastClient):
    """A client of the embedded Step Functions on a port of this machine."""

    def __init__(self, port: int) -> None:
        super().__init__(
            endpoint=Endpoint(host="127.0.0.1", port=port, path="/", tls=None),
            region=LOCAL_REGION,
            service="states",
            credentials=_Keys(),
            polls=_CONNECTIONS,
            reports=_CONNECTIONS,
        )

    async def create_activity(self, name: str) -> None:
        """See `StepFunctions`."""
        await self.ask("CreateActivity", {"name": name})

    async def ask(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to any call, as the AWS SDK would give it: times are datetimes. Raises `ServiceError`."""
        answer: dict[str, Any] = _dated(await self._call(operation, parameters, self._reports, REPORT_READ_TIMEOUT))
        return answer


class EngineAccount(Account):
    """The account that the engine plays, asked through an `EngineClient`."""

    def __init__(self, settings: Settings, client: EngineClient) -> None:
        super().__init__(Connection(None, settings.local_url), LOCAL_PLACE, settings, client)
        self._engine = client

    async def call(self, operation: str, /, *, created: float | None = None, **parameters: Any) -> dict[str, Any]:
        """See `Account`; here nothing is seen late, and nothing has to be repeated."""
        del created
        return await self._engine.ask(
            operation, {name: value for name, value in parameters.items() if value is not None}
        )

    async def start_sync_execution(self, **parameters: Any) -> dict[str, Any]:
        """See `Account`."""
        return await self._engine.ask("StartSyncExecution", parameters)


def _dated(value: Any, name: str = "") -> Any:
    """`value`, in which numbers that are times (seconds since 1970) are datetimes."""
    if isinstance(value, dict):
        return {key: _dated(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_dated(member) for member in value]
    if isinstance(value, int | float) and (name == "timestamp" or name.endswith("Date")):
        return datetime.fromtimestamp(value, UTC)
    return value
