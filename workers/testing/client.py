"""What a worker needs of the engine, without the second that a client of the AWS SDK costs a hundred tests."""

from aiobotocore.credentials import AioCredentials

from workers.arns import LOCAL_REGION
from workers.stepfunctions.client import REPORT_READ_TIMEOUT
from workers.stepfunctions.fast.client import FastClient
from workers.stepfunctions.fast.pool import Endpoint

_CONNECTIONS = 100


class EngineClient(FastClient):
    """A client of the embedded Step Functions on a port of this machine."""

    def __init__(self, port: int) -> None:
        super().__init__(
            endpoint=Endpoint(host="127.0.0.1", port=port, path="/", tls=None),
            region=LOCAL_REGION,
            service="states",
            credentials=AioCredentials("local", "local"),
            polls=_CONNECTIONS,
            reports=_CONNECTIONS,
        )

    async def create_activity(self, name: str) -> None:
        """See `StepFunctions`."""
        await self._call("CreateActivity", {"name": name}, self._reports, REPORT_READ_TIMEOUT)
