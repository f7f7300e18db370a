"""Fixtures for pytest, there wherever this project is installed. Nothing is imported before one of them is used."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from workers.local import LocalStepFunctions
    from workers.offline.environment import ActivityEnvironment


@pytest.fixture(scope="session")
def step_functions_engine() -> "LocalStepFunctions":
    """The embedded Step Functions of this test session, with an `url` for any client."""
    from workers.testing.engine import shared_engine

    return shared_engine().engine


@pytest.hookimpl
def pytest_unconfigure() -> None:
    """Ends the engine, if a test has used it."""
    if engine := sys.modules.get("workers.testing.engine"):
        engine.close_engine()


@pytest.fixture
def step_functions(
    step_functions_engine: "LocalStepFunctions", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[LocalStepFunctions]":
    """The engine as the AWS account of one test, empty: the AWS variables point to it."""
    from workers.testing.isolation import delete_everything

    delete_everything()
    for name, value in step_functions_engine.environment().items():
        monkeypatch.setenv(name, value)
    yield step_functions_engine
    delete_everything()


@pytest.fixture
def run_machine() -> Callable[..., Any]:
    """`workers.testing.run_machine`: `run = await run_machine(definition, registry, input)`."""
    from workers.testing.machine import run_machine as run

    return run


@pytest.fixture
def activity_environment() -> "type[ActivityEnvironment]":
    """`workers.testing.ActivityEnvironment`: `await activity_environment(registry).run("add", {"x": 1})`."""
    from workers.offline.environment import ActivityEnvironment

    return ActivityEnvironment
