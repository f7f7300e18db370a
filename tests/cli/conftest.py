import pytest

from tests.cli.commands import Line
from workers.local import LocalStepFunctions


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Line:
    """The command line."""
    return Line(capsys)


@pytest.fixture
def local(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> LocalStepFunctions:
    """Commands talk to the engine."""
    monkeypatch.setenv("WORKERS_LOCAL", "true")
    monkeypatch.setenv("WORKERS_LOCAL_PORT", str(engine.port))
    return engine
