"""The envelope around an activity's input: what is taken for one, and what its context becomes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ids import shown
from workers.envelope import TaskContext, unwrap

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:orders:run-1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def context(**fields: Any) -> TaskContext | None:
    return unwrap({"_context": fields, "input": None})[0]


def test_the_whole_context_comes_out_of_the_envelope():
    document = {
        "_context": {
            "execution": EXECUTION,
            "execution_name": "run-1",
            "state_machine": "orders",
            "state": "Charge",
            "entered": "2024-05-06T07:08:09.123Z",
            "retry": 2,
            "redrive": 1,
            "traceparent": TRACEPARENT,
        },
        "input": {"x": 1},
    }
    assert unwrap(document) == (
        TaskContext(
            execution=EXECUTION,
            execution_name="run-1",
            state_machine="orders",
            state="Charge",
            entered=datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC),
            retry=2,
            redrive=1,
            traceparent=TRACEPARENT,
        ),
        {"x": 1},
    )


@pytest.mark.parametrize(
    "document",
    [
        None,
        1,
        "_context",
        ["_context", "input"],
        {},
        {"input": 1},
        {"_context": {}},
        {"_context": {}, "input": 1, "more": 2},
        {"_context": None, "input": 1},
        {"_context": "text", "input": 1},
        {"_context": [], "input": 1},
    ],
    ids=shown,
)
def test_anything_else_is_the_input_itself(document: Any):
    assert unwrap(document) == (None, document)


def test_an_envelope_inside_an_envelope_is_the_users_own():
    inner = {"_context": {"state": "Inner"}, "input": 1}
    assert unwrap({"_context": {"state": "Outer"}, "input": inner}) == (TaskContext(state="Outer"), inner)


def test_fields_that_are_missing_unknown_or_of_another_type_are_none():
    assert context() == TaskContext()
    assert context(future="field") == TaskContext()
    assert context(execution=1, state=None, entered=5, retry="2", redrive=1.5, traceparent=3) == TaskContext()
    assert context(retry=True, redrive=False) == TaskContext()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T09:08:09+02:00", datetime(2024, 5, 6, 9, 8, 9, tzinfo=timezone(timedelta(hours=2)))),
        ("2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("2024-13-06T07:08:09Z", None),
        ("", None),
    ],
)
def test_entered_is_a_time_with_a_zone_or_none(written: str, read: datetime | None):
    found = context(entered=written)
    assert found
    assert found.entered == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(list(TaskContext.__dataclass_fields__))


@given(st.dictionaries(FIELDS, JSON | st.datetimes().map(str)), JSON)
def test_no_context_is_too_strange(fields: dict[str, Any], value: Any):
    found, given_back = unwrap({"_context": fields, "input": value})
    assert isinstance(found, TaskContext)
    assert given_back is value
    assert found.entered is None or found.entered.utcoffset() is not None
