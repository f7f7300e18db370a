"""How a definition differs from what is registered under its name."""

import difflib
from dataclasses import dataclass, field
from typing import Any, Unpack

from workers.arns import activity_name
from workers.machines.activities import missing_activities
from workers.machines.definition import from_asl
from workers.machines.registration.registered import find
from workers.machines.registration.results import Change
from workers.machines.registration.wanted import Given, Options, wanted
from workers.machines.text import as_yaml
from workers.stepfunctions.account import Account, using


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What `ensure_state_machine` would change. False where that is nothing."""

    name: str
    arn: str
    exists: bool
    """Whether there is such a state machine."""
    changes: tuple[Change, ...]
    lines: tuple[str, ...] = field(repr=False)
    """The definitions, in the notation, as a unified diff; none where they are the same."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    def to_json(self) -> dict[str, Any]:
        """As `workers machines diff --json` prints it."""
        return {
            "name": self.name,
            "arn": self.arn,
            "exists": self.exists,
            "changes": [{"what": change.what, "action": change.action} for change in self.changes],
            "diff": list(self.lines),
        }


async def diff(
    name: str, definition: Given, *, account: Account | None = None, **options: Unpack[Options]
) -> Difference:
    """What `ensure_state_machine` with the same arguments would change; changes nothing.

    Raises `InvalidDefinitionError`, `UsageError` and `ServiceError`.
    """
    async with using(account) as here:
        want = wanted(here, name, definition, options)
        missing = await missing_activities(here, want.activities)
        changes = [Change(f"activity {activity_name(arn)}", "missing") for arn in missing]
        known = await find(here, want.arn, tags=bool(want.configuration.tags))
        if known is None:
            changes.append(Change(f"state machine {want.name}", "missing"))
        else:
            changes += [Change(part, "differs") for part in want.configuration.differences(known.configuration)]
            changes += [Change(f"tag {key}", "differs") for key in want.configuration.new_tags(known.configuration)]
        before = _lines(known.configuration.definition, here) if known else []
        after = _lines(want.configuration.definition, here)
    lines = difflib.unified_diff(before, after, f"{want.name} as registered", want.source, lineterm="")
    return Difference(
        name=want.name, arn=want.arn, exists=known is not None, changes=tuple(changes), lines=tuple(lines)
    )


def _lines(asl: Any, account: Account) -> list[str]:
    return as_yaml(from_asl(asl, place=account.place, namespace=account.namespace)).splitlines()
