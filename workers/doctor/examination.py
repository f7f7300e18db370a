"""The examination: a registry beside the machines that use it, before AWS shows what does not fit."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.doctor.errors import check_errors
from workers.doctor.findings import Finding, Level
from workers.doctor.flow import follow
from workers.doctor.handled import check_handled
from workers.doctor.offloading import offloading
from workers.doctor.permissions import check_permissions
from workers.doctor.pollers import RECENT, check_pollers
from workers.doctor.reads import check_reads
from workers.doctor.sizes import check_sizes
from workers.doctor.stores import check_stores, payload_stores
from workers.doctor.subjects import Subject, from_account, from_file
from workers.doctor.times import check_times
from workers.errors import UsageError
from workers.machines.notation.reading import SOMEWHERE
from workers.machines.problems import Severity
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account
from workers.stepfunctions.protocol import ServiceError
from workers.supervisor.activity import Activity, activities

Machine = str | Path
"""A file (a path), or a machine as it is deployed (a name)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, the worst first."""

    findings: tuple[Finding, ...]

    def count(self, level: Level) -> int:
        """How many findings are of `level`."""
        return sum(finding.level is level for finding in self.findings)

    def fine(self, *, strict: bool = False) -> bool:
        """Whether there is no error; with `strict`, no warning either."""
        return not (self.count(Level.ERROR) or (strict and self.count(Level.WARNING)))

    def summary(self) -> str:
        """`2 errors, 1 warning, 0 notes`."""
        counts = [(self.count(level), level) for level in Level]
        return ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts)

    def to_json(self) -> dict[str, Any]:
        """As `workers doctor --json` prints it."""
        return {"findings": [finding.to_json() for finding in self.findings]}


async def examine(
    registry: Registry,
    machines: Sequence[Machine],
    settings: Settings | None = None,
    *,
    offline: bool = False,
    role: str | None = None,
    recent: int = RECENT,
) -> Report:
    """Examines the handlers of `registry`, run with `settings`, beside the `machines` that use them.

    `offline`: asks AWS nothing; then all machines are files. Without it, but with no AWS to ask, files are examined
    all the same, and a note says what was left out. `role`: the ARN of the worker's role, whose permissions are
    judged; by default of whoever asks. `recent`: the executions in whose histories pollers are looked for. Raises
    `UsageError`, and `ServiceError` for a machine that is not there.
    """
    settings = settings or Settings()
    async with _asked(settings, needed=any(isinstance(one, str) for one in machines), offline=offline) as asked:
        account, notes = asked
        place = account.place if account else SOMEWHERE
        handled = {activity.arn: activity for activity in activities(registry, settings, place)}
        subjects = [
            from_file(one, place=place, namespace=settings.namespace)
            if isinstance(one, Path)
            else await from_account(one, _known(account))
            for one in machines
        ]
        findings = [*notes, *_read(subjects, handled)]
        stores = payload_stores(handled)
        findings += await check_stores(stores, account)
        if account:
            findings += await check_permissions(account, handled, stores, role=role)
        if account:
            for subject in subjects:
                findings += await check_pollers(subject.name, subject.deployed_as, account, recent=recent)
    order = list(Level)
    return Report(tuple(sorted(findings, key=lambda finding: order.index(finding.level))))


def _read(subjects: Sequence[Subject], handled: Mapping[str, Activity]) -> Iterator[Finding]:
    """All that can be found without asking anybody."""
    for subject in subjects:
        for problem in subject.problems:
            level = Level.ERROR if problem.severity is Severity.ERROR else Level.WARNING
            place = f"{subject.name}:{problem.line}" if problem.line else subject.name
            yield Finding(problem.code, f"{place}: {problem.path or 'the definition'}", problem.message, level)
    uses = [use for subject in subjects for use in subject.uses()]
    if all(subject.machine for subject in subjects):
        yield from check_handled(uses, handled)
    yield from check_times(uses, handled)
    yield from check_errors(uses, handled)
    offloaded = offloading(handled)
    for subject in subjects:
        if subject.machine:
            moments = follow(subject.machine, offloaded.result)
            yield from check_sizes(subject.name, moments)
            yield from check_reads(subject.name, moments, offloaded)


@asynccontextmanager
async def _asked(
    settings: Settings, *, needed: bool, offline: bool
) -> AsyncIterator[tuple[Account | None, list[Finding]]]:
    """The account, or a note that there is none to ask."""
    if offline:
        if needed:
            raise UsageError("machines that are deployed are asked of AWS: give files, or do without --offline")
        yield None, []
        return
    async with AsyncExitStack() as stack:
        try:
            account = await stack.enter_async_context(open_account(settings))
        except (UsageError, ServiceError) as error:
            if needed:
                raise
            message = f"AWS was not asked, so that permissions and stores on S3 are not examined: {error}"
            yield None, [Finding("offline", "AWS", message, Level.NOTE)]
        else:
            yield account, []


def _known(account: Account | None) -> Account:
    if account is None:
        raise UsageError("machines that are deployed are asked of AWS: give files, or do without --offline")
    return account
