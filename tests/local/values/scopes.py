"""Scopes and expectations that the tests of values share."""

from typing import Any

import pytest

from workers.local.values.errors import EvaluationError
from workers.local.values.scope import Evaluate, Scope

CONTEXT = {"Execution": {"Id": "arn:execution", "Input": {"a": 1}}, "State": {"Name": "Here", "RetryCount": 0}}
STORE = {
    "books": [
        {"title": "Sayings", "price": 8.95, "tags": ["old", "short"]},
        {"title": "Sword", "price": 12.99, "isbn": "1"},
        {"title": "Moby Dick", "price": 8.99, "isbn": "2", "tags": []},
    ],
    "bicycle": {"color": "red", "price": 19.95},
    "limit": 10,
}


def scope(data: Any = None, **variables: Any) -> Scope:
    return Scope(data, CONTEXT, variables)


def failure(evaluate: Evaluate, at: Scope) -> tuple[str | None, str]:
    """The error and the cause with which the evaluation fails."""
    with pytest.raises(EvaluationError) as raised:
        evaluate(at)
    return raised.value.error, raised.value.cause
