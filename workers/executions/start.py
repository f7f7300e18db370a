"""Starting an execution, and waiting for its end."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from workers.arns import check_name
from workers.errors import UsageError
from workers.executions.execution import Execution, Status, from_description
from workers.executions.tracing import Trace
from workers.executions.waiting import Watching, ended
from workers.machines.registration.results import Registered
from workers.machines.registration.versions import publish_version
from workers.payloads.document import encode
from workers.payloads.limits import OUTPUT_LIMIT
from workers.payloads.payloads import Payloads
from workers.stepfunctions.account import Account, using
from workers.stepfunctions.protocol import ServiceError

NO_INPUT: Final[Mapping[str, Any]] = MappingProxyType({})
"""What an execution gets that is given nothing: an empty object."""


async def start_execution(
    machine: str | Registered,
    input: Any = NO_INPUT,  # noqa: A002 - AWS's own word
    *,
    name: str | None = None,
    wait: bool = False,
    payloads: Payloads | str | None = None,
    traceparent: bool | str = False,
    watching: Watching | None = None,
    account: Account | None = None,
) -> Execution:
    """Starts an execution of a state machine; with `wait`, returns when it has ended, well or not.

    `machine`: `NAME`, `NAME:VERSION`, `NAME:ALIAS`, an ARN, or what `ensure_state_machine` returned: then what that
    call updated runs, be it a second old. By name, AWS may start the old definition for some seconds. `input`: any
    JSON value. `name`: unique for 90 days; a random one by default.
    `payloads`: a payload store, or the URL of one, for what is too large in the input, and to reload the output from.
    `traceparent`: True for a new trace, or a W3C traceparent to continue; it is put into the input, which must be an
    object, and names the X-Ray trace as well. `watching`: called with the progress of the states while it is waited
    for, except for Express executions.

    Raises `UsageError` for a name or an input that AWS would refuse, `PayloadError` and `ServiceError`.
    """
    given = {} if input is NO_INPUT else input
    trace = Trace.of(traceparent) if traceparent else None
    if trace:
        given = trace.put_into(given)
    if name is not None:
        check_name(name, "execution")
    async with using(account) as here, _opened(payloads, here) as store:
        text = _checked(encode(await store.offload(given) if store else given))
        start = _Start(here, text, name, trace.header if trace else None)
        execution = await start(machine, wait=wait, watching=watching)
        if store and execution.succeeded:
            execution = replace(execution, output=await store.reload(execution.output))
        return execution


class _Start:
    def __init__(self, account: Account, text: str, name: str | None, header: str | None) -> None:
        self._account = account
        self._text = text
        self._own_name = name is None
        self._name = name or str(uuid.uuid4())
        self._header = header

    async def __call__(self, machine: str | Registered, *, wait: bool, watching: Watching | None) -> Execution:
        arn = await self._target(machine)
        created = machine.created if isinstance(machine, Registered) else None
        if wait and await self._express(machine, arn):
            return from_description(await self._account.start_sync_execution(**self._parameters(arn)))
        execution = await self._start(arn, created)
        if not wait:
            return execution
        return await ended(self._account, execution.arn, started=time.monotonic(), watching=watching)

    async def _target(self, machine: str | Registered) -> str:
        """What is started: after an update, a version, because the machine itself may run the old definition yet."""
        if isinstance(machine, str):
            return self._account.state_machine(machine)
        if machine.version or machine.revision is None:
            return machine.version or machine.arn
        version, _ = await publish_version(
            self._account, machine.arn, created=machine.created, revision=machine.revision
        )
        return version

    async def _express(self, machine: str | Registered, arn: str) -> bool:
        if isinstance(machine, Registered):
            return machine.express
        unqualified = ":".join(arn.split(":")[:7])
        found = await self._account.call("DescribeStateMachine", stateMachineArn=unqualified)
        return bool(found["type"] == "EXPRESS")

    async def _start(self, arn: str, created: float | None) -> Execution:
        try:
            answer = await self._account.call("StartExecution", created=created, **self._parameters(arn))
        except ServiceError as error:
            if error.code != "ExecutionAlreadyExists" or not self._own_name:
                raise
            # Nobody else has this name: the call was repeated after its answer was lost.
            before, _, machine = arn.partition(":stateMachine:")
            known = f"{before}:execution:{machine.partition(':')[0]}:{self._name}"
            answer = {"executionArn": known, "startDate": datetime.now(UTC)}
        return Execution(
            arn=answer["executionArn"],
            name=self._name,
            state_machine=":".join(arn.split(":")[:7]),
            status=Status.RUNNING,
            started=answer["startDate"],
            input=json.loads(self._text),
        )

    def _parameters(self, arn: str) -> dict[str, Any]:
        header = {"traceHeader": self._header} if self._header else {}
        return {"stateMachineArn": arn, "name": self._name, "input": self._text, **header}


def _checked(encoded: bytes) -> str:
    if len(encoded) > OUTPUT_LIMIT:
        raise UsageError(
            f"the input has {len(encoded):,} bytes of JSON and AWS allows {OUTPUT_LIMIT:,}: give a payload store"
        )
    return encoded.decode()


@asynccontextmanager
async def _opened(payloads: Payloads | str | None, account: Account) -> AsyncIterator[Payloads | None]:
    """The payload store, opened here where only its URL is given."""
    if not isinstance(payloads, str):
        yield payloads
        return
    store = Payloads(payloads)
    store.use_aws(account.connection.session, account.connection.endpoint_url)
    async with store:
        yield store
