"""Registering a state machine: one call that creates what is missing and updates what differs."""

import time
from dataclasses import replace
from typing import Any, Unpack

import anyio

from workers.arns import activity_name
from workers.backoff import Backoff
from workers.errors import UsageError
from workers.machines.activities import ensure_activities
from workers.machines.model.machine import StateMachine
from workers.machines.registration.permissions import policy
from workers.machines.registration.registered import Known, find
from workers.machines.registration.results import Change, Registered, now
from workers.machines.registration.role import ensure_role
from workers.machines.registration.versions import check_alias, move_alias, publish_version
from workers.machines.registration.wanted import Given, Options, Wanted, wanted
from workers.stepfunctions.account import Account, using
from workers.stepfunctions.protocol import ServiceError

_ROLE_SETTLES = 60.0
"""Seconds until a role that was just made or changed is known to Step Functions."""
_DELETED_WITHIN = 60.0
"""Seconds for which the name of a machine that is being deleted is waited for."""


async def ensure_state_machine(
    name: str,
    definition: Given,
    *,
    create_role: bool = False,
    publish: bool = False,
    alias: str | None = None,
    account: Account | None = None,
    **options: Unpack[Options],
) -> Registered:
    """Registers the state machine `name`: creates it or updates what differs, with the activities that it uses.

    `definition`: a file, Python data, a model. `role`: the ARN of its role; `create_role`: one of its own is made,
    allowed what the definition uses, and kept so. What is not said stays as it is registered: the role, its `logging`
    and `tracing`; of `tags` those that are given are set. `publish`: a version, unless there is one of this revision;
    `alias`: publishes, and makes the alias route to that version. Nothing is done twice, nor when all is there.

    Raises `InvalidDefinitionError` before anything is done, `UsageError` for what cannot be, and `ServiceError`.
    """
    if create_role and options.get("role"):
        raise UsageError("either a role is given or one is created: say one of the two")
    if alias is not None:
        check_alias(alias)
    async with using(account) as here:
        registration = _Registration(here, wanted(here, name, definition, options), create_role=create_role)
        return await registration.run(publish=publish or alias is not None, alias=alias)


class _Registration:
    def __init__(self, account: Account, wanted: Wanted, *, create_role: bool) -> None:
        self.account = account
        self.name = wanted.name
        self.arn = wanted.arn
        self.wanted = wanted.configuration
        self.activities = wanted.activities
        self.create_role = create_role
        self.changes: list[Change] = []
        self.role_changed: float | None = None

    async def run(self, *, publish: bool, alias: str | None) -> Registered:
        known = await find(self.account, self.arn, tags=bool(self.wanted.tags))
        self._check(known)
        await self._settle_role(known)
        for arn in await ensure_activities(self.activities, tags=self.wanted.tags, account=self.account):
            self.changes.append(Change(f"activity {activity_name(arn)}", "created"))
        result = await self._update(known) if known else await self._create()
        if publish:
            result = await self._publish(result, alias)
        return replace(result, changes=tuple(self.changes))

    def _check(self, known: Known | None) -> None:
        if known and self.wanted.express not in {None, known.configuration.express}:
            kind = "EXPRESS" if known.configuration.express else "STANDARD"
            raise UsageError(f"{self.name} is a {kind} state machine, and AWS cannot change that: take another name")
        if not (known or self.wanted.role or self.create_role or self.account.settings.local):
            raise UsageError(
                f"there is no state machine {self.name} yet, and a new one needs a role: give the ARN of one, or have "
                "one created"
            )

    async def _settle_role(self, known: Known | None) -> None:
        """Makes the role, or changes what it allows, before the machine needs it."""
        if self.create_role:
            current = known.configuration if known else None
            machine = StateMachine.model_validate(self.wanted.definition)
            logging = self.wanted.logging or (current.logging if current else None) or {}
            tracing = self.wanted.tracing if self.wanted.tracing is not None else bool(current and current.tracing)
            needed = policy(
                machine,
                name=self.name,
                place=self.account.place,
                logging=logging.get("level", "OFF") != "OFF",
                tracing=tracing,
            )
            role = await ensure_role(self.account, self.name, needed)
            self.changes += role.changes
            self.role_changed = time.monotonic() if role.changes else None
            self.wanted = replace(self.wanted, role=role.arn)
        elif known is None and self.wanted.role is None:
            place = self.account.place
            self.wanted = replace(self.wanted, role=f"arn:{place.partition}:iam::{place.account}:role/local")

    async def _create(self) -> Registered:
        tags = [{"key": key, "value": value} for key, value in (self.wanted.tags or {}).items()]
        express = bool(self.wanted.express)
        try:
            await self._call(
                "CreateStateMachine",
                name=self.name,
                type="EXPRESS" if express else "STANDARD",
                tags=tags or None,
                **self.wanted.parameters(),
            )
        except ServiceError as error:
            if error.code != "StateMachineAlreadyExists":
                raise
            if known := await find(self.account, self.arn, tags=bool(self.wanted.tags), created=now()):
                self._check(known)
                return await self._update(known)
            raise
        self.changes.append(Change(f"state machine {self.name}", "created"))
        return Registered(name=self.name, arn=self.arn, express=express, created=now())

    async def _update(self, known: Known) -> Registered:
        revision = known.revision
        if parts := list(self.wanted.differences(known.configuration)):
            answer = await self._call(
                "UpdateStateMachine", stateMachineArn=self.arn, **self.wanted.parameters(set(parts))
            )
            revision = answer.get("revisionId", revision)
            self.changes += [Change(part, "updated") for part in parts]
        if tags := self.wanted.new_tags(known.configuration):
            aws_tags = [{"key": key, "value": value} for key, value in tags.items()]
            await self.account.call("TagResource", resourceArn=self.arn, tags=aws_tags)
            self.changes += [Change(f"tag {key}", "set") for key in tags]
        updated = revision if parts else None
        return Registered(name=self.name, arn=self.arn, express=bool(known.configuration.express), revision=updated)

    async def _publish(self, result: Registered, alias: str | None) -> Registered:
        version, new = await publish_version(self.account, self.arn, created=result.created, revision=result.revision)
        if new:
            self.changes.append(Change(f"version {version.rpartition(':')[2]}", "published"))
        if alias is None:
            return replace(result, version=version)
        arn, change = await move_alias(self.account, self.arn, alias, version)
        if change:
            self.changes.append(change)
        return replace(result, version=version, alias=arn)

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A call that is repeated while Step Functions does not know the role yet, or still deletes a namesake."""
        backoff, started = Backoff(initial=1.0, maximum=5.0), time.monotonic()
        while True:
            try:
                return await self.account.call(operation, **parameters)
            except ServiceError as error:
                deleting = error.code == "StateMachineDeleting" and time.monotonic() - started < _DELETED_WITHIN
                if not (deleting or self._role_is_unknown(error)):
                    raise
            await anyio.sleep(backoff.next())

    def _role_is_unknown(self, error: ServiceError) -> bool:
        """Whether Step Functions says of the role, which is just made, that it does not allow something."""
        if self.role_changed is None or time.monotonic() - self.role_changed > _ROLE_SETTLES:
            return False
        return error.code == "AccessDeniedException" and "not authorized to perform: states:" not in str(error)
