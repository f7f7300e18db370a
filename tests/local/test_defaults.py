"""What the engine does when it is not told otherwise: the same from the command line and from Python."""

import inspect

import pytest

from workers.cli.local import local
from workers.local import LocalStepFunctions
from workers.local.options import Options

KEEP, POLL_HOLD = 1_000, 60


def test_a_thousand_executions_are_kept_and_polls_are_held_for_a_minute(monkeypatch: pytest.MonkeyPatch):
    for name in ("KEEP", "POLL_HOLD"):
        monkeypatch.delenv(f"WORKERS_LOCAL_{name}", raising=False)
    given = local.make_context("local", []).params
    assert (given["keep"], given["poll_hold"]) == (KEEP, POLL_HOLD)
    python = inspect.signature(LocalStepFunctions).parameters
    assert (python["keep"].default, python["poll_hold"].default) == (KEEP, POLL_HOLD)
    assert (Options().keep, Options().poll_hold) == (KEEP, POLL_HOLD)
