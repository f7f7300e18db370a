"""Starts executions, lets them go on after a restart, and opens them again for a redrive."""

from workers.local.branch import Branch, Plan
from workers.local.documents import DATA_LIMIT_EXCEEDED
from workers.local.frames import Frame
from workers.local.run import Run, data
from workers.local.values.errors import StateError

EXPRESS_SECONDS = 300.0
"""The longest that an Express execution takes (Step Functions quotas)."""


def start(run: Run, plan: Plan, timeout: float | None) -> None:
    """Records the start and lets the execution run. `timeout`: seconds that it may take."""
    execution = run.execution
    origin = execution.origin
    chosen = {"stateMachineAliasArn": origin.alias_arn, "stateMachineVersionArn": origin.version_arn}
    details = {**data("input", run.input), "roleArn": origin.revision.role}
    details |= {name: arn for name, arn in chosen.items() if arn is not None}
    run.record("ExecutionStarted", "executionStartedEventDetails", details, after=0)
    run.new_frame(None, 0, plan.start, run.input, 0)
    resume(run, plan, timeout)


def resume(run: Run, plan: Plan, timeout: float | None) -> None:
    """Lets an execution go on from its frames."""
    if run.execution.express:
        timeout = min(timeout or EXPRESS_SECONDS, EXPRESS_SECONDS)
    run.limit(timeout)
    if root := run.root:
        run.spawn(root, _work(run, Branch(run, root, plan, {})))


async def _work(run: Run, branch: Branch) -> None:
    try:
        output = await branch.walk()
    except StateError as error:
        run.fail(error.error, error.cause, after=branch.frame.last)
    else:
        details = data("output", output)
        run.record("ExecutionSucceeded", "executionSucceededEventDetails", details, after=branch.frame.last)


def redrive(run: Run, plan: Plan, timeout: float | None) -> None:
    """Opens an execution that did not succeed: what failed or was ended runs again, what succeeded does not."""
    error = run.execution.error
    run.execution.reopen()
    run.open()
    details = {"redriveCount": run.execution.redrives}
    number = run.record("ExecutionRedriven", "executionRedrivenEventDetails", details, after=0)
    if run.root:
        _reopen(run, run.root, error, number)
    resume(run, plan, timeout)


def _reopen(run: Run, frame: Frame, error: str | None, after: int) -> None:
    """Lets a line of states go on that ended with `error`, or was ended from outside."""
    unsuccessful = [child for child in frame.children.values() if child.outcome is None or not child.outcome.succeeded]
    if error == DATA_LIMIT_EXCEEDED and not unsuccessful:  # what its lines gave is too large: all of them run again
        run.drop_children(frame)
        frame.progress = None
    frame.outcome, frame.counts, frame.last = None, [], after
    if not frame.children and "inputs" not in (frame.progress or {}):  # a map run goes on once its items are known
        frame.progress = None
    for child in unsuccessful:
        _reopen(run, child, child.outcome.error if child.outcome else None, after)
    run.save(frame)
