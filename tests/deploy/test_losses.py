"""The alert on lost results is raised by the first of them, whose series it makes, and by no old one."""

import re
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.deploy.promql import expressions, parsed
from workers.metrics import TASKS, Metrics, TaskOutcome

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Scraped = dict[Labels, dict[int, float]]
"""What was scraped of a metric: for each series the values by the minute."""
NOW = 60
STALE = 5
"""Minutes for which Prometheus takes a value that is not scraped again (`query.lookback-delta`)."""


def lost(outcome: TaskOutcome, values: dict[int, float]) -> Scraped:
    return {frozenset({("instance", "one"), ("activity", "add"), ("outcome", outcome), ("error", "")}): values}


def steady(value: float, *, since: int = 0, until: int = NOW) -> dict[int, float]:
    return dict.fromkeys(range(since, until + 1), value)


def result(node: Any, scraped: Scraped, now: int = NOW) -> Any:
    """What an expression gives, as far as the alert is made of such."""
    match type(node).__name__:
        case "NumberLiteral":
            return node.val
        case "VectorSelector":
            return _instant(_selected(node, scraped), now - _minutes(node.offset))
        case "Call":
            assert node.func.name == "increase"
            (window,) = node.args
            return _increase(_selected(window.vector_selector, scraped), now - _minutes(window.range), now)
        case "AggregateExpr":
            found = defaultdict[Labels, float](float)
            for labels, value in result(node.expr, scraped, now).items():
                found[frozenset(one for one in labels if one[0] in node.modifier.labels)] += value
            return dict(found)
        case "BinaryExpr":
            return _joined(str(node.op), result(node.lhs, scraped, now), result(node.rhs, scraped, now))
    return result(node.expr, scraped, now)  # parentheses


def _joined(operator: str, left: Vector, right: Any) -> Vector:
    if operator == ">":
        return {labels: value for labels, value in left.items() if value > right}
    if operator == "unless":
        return {labels: value for labels, value in left.items() if labels not in right}
    assert operator == "or"
    return right | left


def _selected(node: Any, scraped: Scraped) -> Scraped:
    assert node.name == TASKS.name
    wanted = {one.name: one.value for one in node.matchers.matchers}
    return {
        labels: values
        for labels, values in scraped.items()
        if all(re.fullmatch(pattern, dict(labels)[name]) for name, pattern in wanted.items())
    }


def _instant(scraped: Scraped, at: int) -> Vector:
    found = {}
    for labels, values in scraped.items():
        if recent := [minute for minute in values if at - STALE < minute <= at]:
            found[labels] = values[max(recent)]
    return found


def _increase(scraped: Scraped, since: int, until: int) -> Vector:
    found = {}
    for labels, values in scraped.items():
        within = [values[minute] for minute in sorted(values) if since <= minute <= until]
        if len(within) > 1:
            found[labels] = sum(new - old if new >= old else new for old, new in pairwise(within))
    return found


def _minutes(time: timedelta | None) -> int:
    return int(time / timedelta(minutes=1)) if time else 0


@pytest.mark.parametrize(
    ("scraped", "raised"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param(lost(TaskOutcome.SUCCEEDED, steady(1, since=55)), None, id="no-loss"),
        pytest.param(lost(TaskOutcome.REFUSED, steady(1, since=55)), TaskOutcome.REFUSED, id="the-first"),
        pytest.param(lost(TaskOutcome.REFUSED, steady(1) | steady(2, since=55)), TaskOutcome.REFUSED, id="the-second"),
        pytest.param(lost(TaskOutcome.REFUSED, steady(1)), None, id="long-ago"),
        pytest.param(lost(TaskOutcome.GIVEN_UP, {58: 1}), TaskOutcome.GIVEN_UP, id="scraped-once"),
        pytest.param(lost(TaskOutcome.GIVEN_UP, steady(1, until=40)), None, id="a-worker-that-is-gone"),
    ],
)
def test_a_loss_raises_the_alert_for_some_minutes(scraped: Scraped, raised: TaskOutcome | None):
    found = result(parsed(expressions()["WorkersTasksLost"]), scraped)
    assert found.keys() == ({frozenset({("activity", "add"), ("outcome", raised)})} if raised else set())


def test_a_loss_is_not_shown_before_the_first():
    metrics = Metrics()
    activity = metrics.activity("add")
    assert TaskOutcome.REFUSED not in metrics.exposition()[0].decode().replace(TASKS.help.replace("`", ""), "")
    activity.ended(TaskOutcome.REFUSED)
    assert f'{TASKS.name}{{activity="add",error="",outcome="refused"}} 1.0' in metrics.exposition()[0].decode()
