import pytest

from workers.cli.output import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0042, "4 ms"),
        (0.42, "0.4 s"),
        (12.9, "12 s"),
        (185, "3 min 5 s"),
        (8_040, "2 h 14 min"),
        (266_400, "3 d 2 h"),
    ],
)
def test_durations(seconds: float | None, text: str):
    assert duration(seconds) == text
