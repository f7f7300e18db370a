"""Clients of the AWS services behind the engine's own port, opened when they are first used."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

_SECONDS = 65.0
_CONNECTIONS = 64


class Clients:
    """aiobotocore clients for one region, kept until `close()`."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._session = AioSession()
        self._open = AsyncExitStack()
        self._clients: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def get(self, service: str) -> Any:
        """The client of the service that botocore calls `service`."""
        if service not in self._clients:
            async with self._lock:
                if service not in self._clients:
                    self._clients[service] = await self._open.enter_async_context(self._client(service))
        return self._clients[service]

    async def close(self) -> None:
        await self._open.aclose()

    def _client(self, service: str) -> Any:
        config = AioConfig(
            retries={"total_max_attempts": 1},
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            max_pool_connections=_CONNECTIONS,
            inject_host_prefix=False,
            s3={"addressing_style": "path"},
        )
        return self._session.create_client(
            service,
            region_name=self._region,
            endpoint_url=self._url,
            config=config,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the engine asks for none
        )
