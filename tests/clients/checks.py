"""What every client must get to see."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.clients.conftest import PACKAGES


def check(package: str, execution: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    """The description and the history of the execution that counted `package`."""
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["totals"]["modules"] == PACKAGES[package]
    types = Counter(event["type"] for event in events)
    assert types["MapIterationSucceeded"] == PACKAGES[package]
    assert types["ActivityScheduled"] == types["ActivityStarted"] == types["ActivitySucceeded"] >= PACKAGES[package] + 3
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "ExecutionSucceeded"
