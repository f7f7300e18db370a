"""Definitions that break a rule, or hurt: exactly that problem is found, at its path and line, and no traceback."""

from textwrap import dedent

import pytest

from tests.machines.broken import BROKEN, END, JSONATA, MAP, SNS, one_state, with_done
from workers.machines import Severity, parse
from workers.machines.problems import Problem


def problems_of(text: str, severity: Severity) -> list[Problem]:
    return [problem for problem in parse(dedent(text).lstrip("\n")).problems if problem.severity is severity]


@pytest.mark.parametrize(("text", "code", "path", "line"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule(text: str, code: str, path: str, line: int | None):
    problems = problems_of(text, Severity.ERROR)
    assert [(problem.code, problem.path, problem.line) for problem in problems] == [(code, path, line)], problems


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 60
    assert {code for _, code, _, _ in BROKEN.values()} >= {"missing-target", "unreachable", "no-end", "bad-intrinsic"}


ACTIVITY = ("type: task", "resource: add", END)

HURTS = {
    "no timeout": (
        "timeout_seconds: 9\n" + one_state(*ACTIVITY, "heartbeat_seconds: 3", "retry: [{error_equals: States.ALL}]"),
        "no-timeout", "states.S", 4,
    ),
    "no timeout of what is waited for": (
        one_state("type: task", "resource: arn:aws:states:::glue:startJobRun.sync", END), "no-timeout", "states.S", 3,
    ),
    "no heartbeat": (
        "timeout_seconds: 9\n" + one_state(*ACTIVITY, "timeout_seconds: 3", "retry: [{error_equals: States.Timeout}]"),
        "no-heartbeat", "states.S", 4,
    ),
    "no timeout of the machine": (
        one_state(*ACTIVITY, "timeout_seconds: 3", "heartbeat_seconds: 1", "retry: [{error_equals: States.ALL}]"),
        "no-machine-timeout", "", None,
    ),
    "timeout that nothing matches": (
        "timeout_seconds: 9\n"
        + one_state(*ACTIVITY, "timeout_seconds: 3", "heartbeat_seconds: 1",
                    "retry: [{error_equals: States.TaskFailed}]"),
        "timeout-not-handled", "states.S", 4,
    ),
    "heartbeat matched, timeout not": (
        "timeout_seconds: 9\n"
        + one_state(*ACTIVITY, "timeout_seconds: 3", "heartbeat_seconds: 1",
                    "retry: [{error_equals: States.HeartbeatTimeout}]"),
        "timeout-not-handled", "states.S", 4,
    ),
    "no default": (
        with_done("type: choice", "choices: [{condition: $.a, next: done}]"), "no-default", "states.S", 4,
    ),
    "no token": (
        one_state("type: task", "resource: arn:aws:states:::sqs:sendMessage.waitForTaskToken", END,
                  "timeout_seconds: 9", "heartbeat_seconds: 3", "retry: [{error_equals: States.ALL}]"),
        "no-token", "states.S", 3,
    ),
    "path taken as text": (
        one_state("type: pass", END, "parameters: {a: $.b}"), "no-effect", "states.S.parameters.a", 6,
    ),
    "function taken as text": (
        one_state("type: pass", END, "parameters: {a: States.UUID()}"), "no-effect", "states.S.parameters.a", 6,
    ),
    "JSONata taken as text": (
        one_state("type: pass", END, "parameters: {a: '{% 1 %}'}"), "no-effect", "states.S.parameters.a", 6,
    ),
    "path in a result": (
        one_state("type: pass", END, "result: {a: [{b.$: $.b}]}"), "static", "states.S.result.a[0].b.$", 6,
    ),
    "path as a result": (one_state("type: pass", END, "result: [$.b]"), "static", "states.S.result[0]", 6),
    "path key in JSONata": (one_state(*JSONATA, "output: {a.$: 1}"), "no-effect", "states.S.output.a.$", 7),
    "path compared as text": (
        with_done("type: choice", "default: done", "choices:", "  - {condition: ['=', $.a, $.b], next: done}"),
        "no-effect", "states.S.choices[0].condition[2]", 8,
    ),
    "error that an earlier entry takes": (
        one_state(*SNS, END, "retry:", "  - {error_equals: E}", "  - {error_equals: [F, E]}"),
        "never-reached", "states.S.retry[1].error_equals", 9,
    ),
    "end that is false": (with_done("type: pass", "next: done", "end: false"), "no-effect", "states.S.end", 7),
    "round for ever": (
        with_done("type: choice", "choices: [{condition: $.a, next: done}]", "default: T")
        + "\n  T: {type: pass, next: U}\n  U: {type: pass, next: T}",
        "endless", "states.T", 8,
    ),
    "tolerance of an inline map": (
        one_state(*MAP, "tolerated_failure_count: 1"), "distributed-only", "states.S.tolerated_failure_count", 7,
    ),
    "variable of the states around": (
        one_state("type: map", END, "assign: {x: 1}", "iterator:", "  start_at: I",
                  "  states: {I: {type: pass, end: true, assign: {x: 2}}}"),
        "shadowed", "states.S.iterator.states.I.assign.x", 9,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "path", "line"), HURTS.values(), ids=HURTS)
def test_a_warning(text: str, code: str, path: str, line: int | None):
    assert problems_of(text, Severity.ERROR) == []
    problems = problems_of(text, Severity.WARNING)
    assert [(problem.code, problem.path, problem.line) for problem in problems] == [(code, path, line)], problems
