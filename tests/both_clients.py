"""Tests that run workers run on both clients: on the fast one always, on the stock one with the slow tests.

A `conftest.py` takes both names over. Tests that choose a client themselves, by `client` or `size`, are left alone.
"""

import pytest

CLIENTS = ["fast", pytest.param("botocore", marks=pytest.mark.slow)]


@pytest.fixture(autouse=True)
def workers_client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of the test, in this process and in others, use the client."""
    if hasattr(request, "param"):
        monkeypatch.setenv("WORKERS_CLIENT", request.param)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    used = set(metafunc.fixturenames)
    if "engine" in used and not used & {"client", "size"}:
        metafunc.parametrize("workers_client", CLIENTS, indirect=True)
