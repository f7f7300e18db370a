"""Where a rule stands while it judges a definition, and how it reports what it finds."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from workers.machines.problems import Finding, Severity, Where


@dataclass(slots=True)
class Report:
    """All that has been found, and what has been seen of the whole machine."""

    findings: list[Finding] = field(default_factory=list)
    names: dict[str, Where] = field(default_factory=dict)
    """State names, and where each stands: they are unique in the whole machine."""
    labels: dict[str, Where] = field(default_factory=dict)
    activity: bool = False
    """Whether a task on an activity has been seen."""


@dataclass(slots=True, eq=False)  # not frozen: thousands are made for a large definition, and that takes twice as long
class At:
    """A place in a definition in ASL. Keys in messages stand in backticks: they are shown as the writer spells them."""

    report: Report
    where: Where = ()
    jsonata: bool = False
    """Whether expressions here are JSONata."""
    machine_jsonata: bool = False
    """Whether they are where no state says otherwise."""
    express: bool = False
    """Whether states here run in Express executions."""
    matched: frozenset[str] = frozenset()
    """Error names that a state around this place retries or catches."""
    variables: frozenset[str] = frozenset()
    """Variables that states around this place assign."""
    assigned: frozenset[str] = frozenset()
    """Variables that the states beside this place assign."""

    def into(self, *keys: str | int) -> "At":
        """The place that `keys` lead to from here."""
        return At(
            self.report,
            (*self.where, *keys),
            self.jsonata,
            self.machine_jsonata,
            self.express,
            self.matched,
            self.variables,
            self.assigned,
        )

    def but(self, **changes: Any) -> "At":
        """The same place, with other surroundings."""
        return replace(self, **changes)

    def error(self, code: str, message: str, *keys: str | int) -> None:
        """Reports what AWS would refuse, or what could never work, here or at `keys`."""
        self.report.findings.append(Finding(code, (*self.where, *keys), message))

    def warning(self, code: str, message: str, *keys: str | int) -> None:
        """Reports what works and will hurt some day, here or at `keys`."""
        self.report.findings.append(Finding(code, (*self.where, *keys), message, Severity.WARNING))


def objects(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a list, with their indexes; nothing where `value` is no list."""
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield index, one


def described(value: Any) -> str:
    """What `value` is, in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, word in ((dict, "an object"), (list, "a list"), (str, repr(value)), (int, repr(value))):
        if isinstance(value, kind):
            return word
    return repr(value)
