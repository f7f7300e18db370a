"""A trial: one attempt at a state, and what would become of its failure."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from workers.local.branch import Branch
from workers.local.documents import Document
from workers.local.executions import Execution, Origin
from workers.local.failures import TIMEOUT, Failures, matches
from workers.local.frames import Frame
from workers.local.machines import Revision
from workers.local.run import Run
from workers.local.states.distributed_map import EXCEEDED, EXCEEDED_CAUSE
from workers.local.trial.inspection import inspected
from workers.local.trial.stage import Stage
from workers.local.trial.subject import Subject
from workers.local.values.errors import EvaluationError, StateError
from workers.local.values.scope import MISSING, Scope, compact
from workers.machines.model.failures import Failing
from workers.machines.model.machine import Map

_ITEMS = ("afterItemSelector", "afterItemsPath", "afterItemsPointer")
LONGEST = 300.0
"""Seconds that a trial may take (API reference, TestState)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a state is tried with."""

    data: Document
    role: str
    variables: dict[str, Any]
    context: dict[str, Any]
    mocked: bool
    retries: int
    """How often the retrier that applies was used before."""
    failures: int | None = None
    """Iterations of a Map that failed."""
    read: str | None = None
    """What the ItemReader of a Map would find."""


@dataclass(slots=True)
class Found:
    """What came of a trial."""

    status: str
    inspection: dict[str, Any]
    output: Document | None = None
    error: str | None = None
    cause: str | None = None
    following: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


class TriedBranch(Branch):
    """A line of one state. Its errors come without the sentence that names the state, which only executions put in
    front (measured on AWS)."""

    __slots__ = ()

    def explained(self, error: EvaluationError, *, of: Frame | None = None) -> StateError:
        del of
        return StateError(error.error, error.cause)


async def tried(subject: Subject, given: Given, stage: Stage) -> Found:
    """Tries a state once."""
    branch = _branch(subject, given, stage)
    error: StateError | None = None
    output: Document | None = None
    try:
        async with asyncio.timeout(LONGEST):
            output = await branch.walk()
    except TimeoutError:
        error = StateError(TIMEOUT)
    except StateError as raised:
        error = raised
    finally:
        branch.run.halt()
    scope = _scope(given, branch)
    result = stage.answers[0] if stage.answers else MISSING
    inspection = inspected(subject.model, scope, result, jsonata=subject.jsonata, read=given.read)
    if error is None:
        error = _exceeded(subject, given, scope, inspection)
    if error is not None:
        found = _failed(subject, given, scope, error, inspection)
    else:
        following = branch.frame.state if branch.frame.state != subject.name else None
        found = Found("SUCCEEDED", inspection, output, following=following, variables=dict(branch.variables))
    if found.variables:
        inspection["variables"] = compact(found.variables)
    return found


def _branch(subject: Subject, given: Given, stage: Stage) -> Branch:
    name = f"TestState-{subject.name}"
    revision = Revision(compact(subject.asl), given.role, {}, {}, {}, updated=stage.clock.now())
    origin = Origin(stage.place.state_machine("TestState"), "TestState", revision)
    arn = stage.place.execution("TestState", "TestState")
    run = Run(Execution(0, arn, name, origin, given.data.text, stage.clock), stage)
    run.context |= given.context
    frame = run.new_frame(None, 0, subject.name, given.data, 0)
    return TriedBranch(run, frame, subject.plan(mocked=given.mocked), given.variables)


def _scope(given: Given, branch: Branch) -> Scope:
    return Scope(given.data.value, {**branch.context, **given.context}, given.variables)


def _exceeded(subject: Subject, given: Given, scope: Scope, inspection: dict[str, Any]) -> StateError | None:
    """What a Map makes of the iterations that failed."""
    if given.failures is None or not isinstance(subject.model, Map):
        return None
    count, percentage = (inspection.get(f"toleratedFailure{what}") for what in ("Count", "Percentage"))
    items = next((inspection[name] for name in _ITEMS if name in inspection), compact(scope.data))
    total = len(json.loads(items)) or 1
    within = [given.failures <= count] if count is not None else []
    within += [given.failures * 100 <= percentage * total] if percentage is not None else []
    if within and all(within):
        return None
    return StateError(EXCEEDED, EXCEEDED_CAUSE) if given.failures else None


def _failed(subject: Subject, given: Given, scope: Scope, error: StateError, inspection: dict[str, Any]) -> Found:
    """What Retry and Catch of the state make of its failure."""
    found = Found("FAILED", inspection, error=error.error, cause=error.cause, variables=given.variables)
    if not isinstance(subject.model, Failing):
        return found
    failures = Failures(subject.model, jsonata=subject.jsonata)
    for index, retrier in enumerate(failures.retriers):
        if matches(retrier.errors, error):
            if given.retries < retrier.attempts:
                delay = round(retrier.delay(given.retries + 1))
                inspection["errorDetails"] = {"retryIndex": index, "retryBackoffIntervalSeconds": delay}
                found.status = "RETRIABLE"
                return found
            break
    for index, catcher in enumerate(failures.catchers):
        if matches(catcher.errors, error):
            try:
                found.output, assigned = catcher.caught(scope, given.data, error)
            except EvaluationError as fault:
                found.error, found.cause = fault.error, fault.cause
                return found
            inspection["errorDetails"] = {"catchIndex": index}
            found.status, found.following = "CAUGHT_ERROR", catcher.next
            found.variables = given.variables | (assigned or {})
            break
    return found
