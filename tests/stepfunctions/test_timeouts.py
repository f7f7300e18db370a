"""What the session of the AWS SDK says of timeouts and endpoints counts for both clients."""

from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from workers.stepfunctions.client import (
    CONNECT_TIMEOUT,
    POLL_READ_TIMEOUT,
    REPORT_READ_TIMEOUT,
    Timeouts,
    open_client,
)
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.choice import AutoClient, open_stepfunctions


def session_with(**config: Any) -> AioSession:
    """A session with a default client configuration."""
    session = get_session()
    session.set_config_variable("region", "eu-west-1")
    session.set_credentials("key", "secret")
    if config:
        session.set_default_client_config(AioConfig(**config))
    return session


@pytest.mark.parametrize(
    ("config", "timeouts"),
    [
        ({}, Timeouts()),
        ({"connect_timeout": 1.5, "read_timeout": 20}, Timeouts(1.5, POLL_READ_TIMEOUT, 20)),
        ({"read_timeout": 100}, Timeouts(CONNECT_TIMEOUT, 100, 100)),
        (
            {"retries": {"mode": "adaptive", "total_max_attempts": 9}, "max_pool_connections": 1},
            Timeouts(CONNECT_TIMEOUT, POLL_READ_TIMEOUT, REPORT_READ_TIMEOUT),
        ),
    ],
    ids=["none", "a short one would drop polls", "a long one", "the worker itself retries"],
)
async def test_timeouts_of_the_session_stand_before_the_workers_own(config: dict[str, Any], timeouts: Timeouts):
    connection = Connection(session_with(**config), "http://127.0.0.1:9")
    async with open_client(connection, polls=7, reports=3) as client:
        assert client.timeouts == timeouts
        assert client.meta.config.retries["total_max_attempts"] == 1
        assert client.meta.config.max_pool_connections == 7
    async with open_stepfunctions(connection, "fast", polls=1, reports=1) as fast:
        assert isinstance(fast, AutoClient)
        assert fast.timeouts == timeouts


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "states-fips.us-west-2.amazonaws.com"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "states.us-west-2.api.aws"),
        ({"AWS_ENDPOINT_URL_SFN": "https://states.example:8443/aws"}, "states.example:8443"),
        ({}, "states.us-west-2.amazonaws.com"),
    ],
    ids=["FIPS", "dual stack", "own", "plain"],
)
async def test_the_fast_client_goes_where_the_sdk_goes(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], host: str
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    session = get_session()
    session.set_config_variable("region", "us-west-2")
    session.set_credentials("key", "secret")
    async with open_stepfunctions(Connection(session), "fast", polls=1, reports=1) as fast:
        assert isinstance(fast, AutoClient)
        assert fast.host == host
