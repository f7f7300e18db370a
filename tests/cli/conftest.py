import pytest

from tests.cli.commands import Line
from workers import logs
from workers.cli import doctor
from workers.local import LocalStepFunctions


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    """The command line. It leaves logging alone, which the tests share, and whose stderr is gone after this one."""
    for module in (logs, doctor):
        monkeypatch.setattr(module, "configure_logs", lambda _: None)
    return Line(capsys)


@pytest.fixture
def local(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> LocalStepFunctions:
    """Commands talk to the engine."""
    monkeypatch.setenv("WORKERS_LOCAL", "true")
    monkeypatch.setenv("WORKERS_LOCAL_PORT", str(engine.port))
    return engine
