"""Reports: repeated until accepted or closed, and never both a result and something else."""

import pytest

from tests.supervisor.scripted import Scripted, fault
from workers.backoff import Backoff
from workers.failures import Failure
from workers.metrics import Metrics
from workers.stepfunctions.protocol import DeniedError, RefusedError, TaskClosedError, ThrottledError
from workers.supervisor.tasks.reports import Fate, Reports

FAILURE = Failure("Name", "cause")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    following = Backoff.next

    def at_once(self: Backoff) -> float:
        return following(self) * 0

    monkeypatch.setattr(Backoff, "next", at_once)


@pytest.mark.parametrize("kind", ["success", "failure"])
async def test_a_report_is_repeated_through_every_passing_fault(kind: str) -> None:
    client = Scripted()
    client.answers[kind] = [fault(ThrottledError), fault(), fault(DeniedError), fault()]
    assert await _report(client, kind) is Fate.ACCEPTED
    assert [call[0] for call in client.calls] == [kind] * 5


@pytest.mark.parametrize("kind", ["success", "failure"])
async def test_a_closed_token_is_final_and_after_a_repetition_probably_accepted(kind: str) -> None:
    client = Scripted()
    client.answers[kind] = [fault(TaskClosedError, "TaskTimedOut")]
    assert await _report(client, kind) is Fate.CLOSED
    client.answers[kind] = [fault(), fault(TaskClosedError, "TaskTimedOut")]
    assert await _report(client, kind) is Fate.UNCONFIRMED


async def test_a_refused_output_becomes_a_failure() -> None:
    client = Scripted()
    client.answers["success"] = [fault(RefusedError, "InvalidOutput")]
    fate, refused = await Reports(client, Metrics(active=False)).success("token", "1")
    assert fate is Fate.ACCEPTED
    assert refused
    assert refused.error == "Worker.InvalidOutput"
    assert "refused the output" in refused.cause
    assert client.calls[1:] == [("failure", "token", "Worker.InvalidOutput")]


async def test_a_refused_failure_is_said_and_not_repeated() -> None:
    client = Scripted()
    client.answers["failure"] = [fault(RefusedError, "ValidationException")]
    assert await _report(client, "failure") is Fate.REFUSED
    assert len(client.calls) == 1


async def _report(client: Scripted, kind: str) -> Fate:
    reports = Reports(client, Metrics(active=False))
    if kind == "failure":
        return await reports.failure("token", FAILURE)
    fate, refused = await reports.success("token", "1")
    assert refused is None
    return fate
