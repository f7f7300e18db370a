"""State machines of an account: listed, described in the notation, deleted."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.arns import namespaced
from workers.machines.definition import from_asl
from workers.machines.registration.configuration import from_description
from workers.machines.registration.registered import find
from workers.machines.registration.results import Change
from workers.machines.registration.role import delete_role
from workers.stepfunctions.account import Account, using

_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A state machine in a list."""

    name: str
    arn: str
    express: bool
    created: datetime

    def to_json(self) -> dict[str, Any]:
        """As `workers machines list --json` prints it."""
        kind = "EXPRESS" if self.express else "STANDARD"
        return {"name": self.name, "arn": self.arn, "type": kind, "created": self.created.isoformat()}


@dataclass(frozen=True, kw_only=True)
class Described(Listed):
    """A state machine with all that is registered of it."""

    role: str
    revision: str | None
    logging: Mapping[str, Any]
    tracing: bool
    definition: Mapping[str, Any] = field(repr=False)
    """In the notation, with names instead of ARNs."""
    asl: Mapping[str, Any] = field(repr=False)
    """As it is registered."""

    def to_json(self) -> dict[str, Any]:
        """As `workers machines show --json` prints it."""
        return super().to_json() | {
            "role": self.role,
            "revision": self.revision,
            "logging": self.logging,
            "tracing": self.tracing,
            "definition": self.definition,
            "asl": self.asl,
        }


async def list_state_machines(*, account: Account | None = None) -> AsyncIterator[Listed]:
    """The state machines of the account, or of the namespace, by name."""
    async with using(account) as here:
        prefix = namespaced("", here.namespace)
        async for item in here.items("ListStateMachines", "stateMachines", maxResults=_PAGE):
            if item["name"].startswith(prefix):
                yield Listed(
                    name=item["name"],
                    arn=item["stateMachineArn"],
                    express=item["type"] == "EXPRESS",
                    created=item["creationDate"],
                )


async def describe_state_machine(name: str, *, account: Account | None = None) -> Described:
    """The state machine `name`, `name:VERSION`, `name:ALIAS` or of an ARN.

    Raises `ServiceError`, with the code StateMachineDoesNotExist where there is none.
    """
    async with using(account) as here:
        found = await here.call("DescribeStateMachine", stateMachineArn=here.state_machine(name))
        known = from_description(found, None)
        return Described(
            name=found["name"],
            arn=found["stateMachineArn"],
            express=bool(known.express),
            created=found["creationDate"],
            role=found["roleArn"],
            revision=found.get("revisionId"),
            logging=known.logging or {},
            tracing=bool(known.tracing),
            definition=from_asl(known.definition, place=here.place, namespace=here.namespace),
            asl=known.definition,
        )


async def delete_state_machine(name: str, *, account: Account | None = None) -> tuple[Change, ...]:
    """Deletes a state machine, and its role if that was created for it; its activities stay, for others may use them.

    Its executions end at their next transition. Empty where there was nothing to delete. Raises `ServiceError`.
    """
    async with using(account) as here:
        arn = here.state_machine(name)
        known = await find(here, arn)
        if known is None:
            return ()
        await here.call("DeleteStateMachine", stateMachineArn=arn)
        changes = [Change(f"state machine {arn.rpartition(':')[2]}", "deleted")]
        if role := await delete_role(here, known.configuration.role or ""):
            changes.append(role)
        return tuple(changes)
