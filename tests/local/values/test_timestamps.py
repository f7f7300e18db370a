"""Moments."""

import pytest

from workers.local.values.timestamps import parse_timestamp, write_timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2016-03-14T01:59:00Z",
        "2016-03-14T01:59:00.123456789Z",
        "2016-03-14T01:59:00+05:30",
        "2016-03-14T01:59:00.0-01:00",
    ],
)
def test_a_timestamp(text: str):
    assert parse_timestamp(text) is not None


@pytest.mark.parametrize(
    "text",
    ["2016-12-05T25:29:29Z", "2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-12-05t21:29:29z", "2016-12-05", ""],
)
def test_no_timestamp(text: str):
    assert parse_timestamp(text) is None


def test_seconds_are_written_with_milliseconds():
    assert write_timestamp(1_704_067_200.1239) == "2024-01-01T00:00:00.123Z"
