"""Two services on one store, of which one is killed or stopped again and again: nothing is done twice or forgotten."""

import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.account import ROLE, unique
from tests.processes import WORKERS, Process, python
from tests.proxy import Proxy, opened, proxy_to
from workers.local import LocalStepFunctions
from workers.manager.client import Client
from workers.manager.errors import UnavailableError
from workers.manager.model import Query, Status, WorkflowSummary
from workers.manager.requests import NewWorkflowDefinition
from workers.payloads.together import background
from workers.stepfunctions.account import Account

HASTY = """
from datetime import timedelta
from workers.manager.sync import leading, starter
leading.LEASE, leading._RENEWED, starter.CLAIM = 2.0, 0.5, timedelta(seconds=3)
"""
"""A service that takes over from a dead one sooner than others do."""
LIMIT = 3
"""Workflows of the narrow queue that may run at a time."""
_PATIENCE = 5.0
_KINDS = ("short", "short", "narrow", "long")
_WORK = {
    "short": {"Type": "Pass", "End": True},
    "narrow": {"Type": "Wait", "Seconds": 1, "End": True},
    "long": {"Type": "Wait", "Seconds": 3_600, "End": True},
}
_ENDS = {"short": Status.SUCCEEDED, "narrow": Status.SUCCEEDED, "long": Status.CANCELLED}


class Services:
    """Two services, and clients that ask the other one where one does not answer."""

    def __init__(self, ports: tuple[int, int], command: tuple[str, ...], environment: dict[str, str]) -> None:
        self._ports = ports
        self._command = command
        self._environment = environment
        self._processes: list[Process] = []
        self._stack = AsyncExitStack()
        self.clients: list[Client] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._stack:
            for port in self._ports:
                self._processes.append(await self._start(port))
                client = Client(f"http://127.0.0.1:{port}", timeout=_PATIENCE)
                self.clients.append(await self._stack.enter_async_context(client))
            for client in self.clients:
                await self.ask(lambda client: client.definitions(), only=client)
            yield

    async def _start(self, port: int) -> Process:
        return await self._stack.enter_async_context(
            python(*self._command, "--port", str(port), environment=self._environment)
        )

    async def ask(self, request: Callable[[Client], Any], *, number: int = 0, only: Client | None = None) -> Any:
        """The answer of the first service that gives one."""
        while True:
            client = only or self.clients[number % 2]
            try:
                return await request(client)
            except UnavailableError:
                number += 1
                await anyio.sleep(0.05)

    async def disturb(self, *, every: float, seconds: float) -> None:
        """Kills one, stops the other, and so on; a stopped one is continued, a killed one is started again."""
        until = anyio.current_time() + seconds
        turn = 0
        while anyio.current_time() < until:
            which = turn // 2 % 2
            if turn % 2:
                self._processes[which].send(signal.SIGKILL)
                await self._processes[which].ends()
                self._processes[which] = await self._start(self._ports[which])
                await anyio.sleep(every)
            else:
                self._processes[which].send(signal.SIGSTOP)
                await anyio.sleep(every)
                self._processes[which].send(signal.SIGCONT)
            turn += 1


async def load(services: Services, names: dict[str, str], done: anyio.Event, starters: int) -> dict[str, str]:
    """Starts workflows as long as it is not `done`, and cancels the long ones; the kind of each, by its id."""
    kinds: dict[str, str] = {}

    async def one(number: int) -> None:
        kind, key = _KINDS[number % len(_KINDS)], f"start {number}"
        queue = "narrow" if kind == "narrow" else "default"
        kept = await services.ask(
            lambda client: client.start_workflow(names[kind], {}, queue=queue, idempotency_key=key), number=number
        )
        assert kept.id not in kinds
        kinds[kept.id] = kind
        if kind == "long":
            await services.ask(lambda client: client.cancel_workflow(kept.id, "enough"), number=number + 1)

    async def some(first: int) -> None:
        number = first
        while not done.is_set():
            with anyio.CancelScope(shield=True):
                await one(number)
            number += starters
            await anyio.sleep(0.2)

    async with anyio.create_task_group() as group:
        for first in range(starters):
            group.start_soon(some, first)
    return kinds


async def watch(account: Account, machine: str, most: list[int]) -> None:
    """How many executions of the narrow machine ran at a time."""
    while True:
        items = account.items("ListExecutions", "executions", stateMachineArn=machine, statusFilter="RUNNING")
        try:
            most.append(len([item async for item in items]))
        except Exception:
            most.append(0)
        await anyio.sleep(0.2)


async def all_ended(services: Services, number: int) -> list[WorkflowSummary]:
    unfinished = Query(status=(Status.QUEUED, Status.RUNNING), limit=1)
    while (await services.ask(lambda client: client.workflows(unfinished))).items:
        await anyio.sleep(0.2)
    found = await services.ask(everything)
    assert len(found) == number
    return list(found)


async def everything(client: Client) -> list[WorkflowSummary]:
    return [one async for one in client.all_workflows(Query(limit=500))]


async def play(
    url: str, ports: tuple[int, int], *, seconds: float, every: float, before: str = "", starters: int = 4
) -> None:
    async with LocalStepFunctions(keep=100_000) as engine, proxy_to(engine.url) as proxy:
        events = ("--events", unique("events"), "--create-events")
        command = ("serve", "--database", url, "--role", ROLE, "--log-format", "json", *events)
        environment = engine.environment() | {"AWS_ENDPOINT_URL_SFN": proxy.url}
        services = Services(ports, (WORKERS[0], before + WORKERS[1], *command), environment)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in engine.environment().items():
                patch.setenv(name, value)
            async with opened() as account, services.running():
                names = {kind: unique(kind) for kind in _WORK}
                for kind, state in _WORK.items():
                    machine = {"StartAt": "A", "States": {"A": state}}
                    given = NewWorkflowDefinition(name=names[kind], state_machine=machine)
                    await services.ask(lambda client, given=given: client.create_definition(given))
                await services.ask(lambda client: client.put_queue("narrow", LIMIT))
                done = anyio.Event()
                most: list[int] = []

                async def disturb() -> None:
                    await services.disturb(every=every, seconds=seconds)
                    done.set()

                async with background() as group:
                    group.start_soon(watch, account, account.state_machine(f"{names['narrow']}--0--A"), most)
                    group.start_soon(disturb)
                    kinds = await load(services, names, done, starters)
                    found = await all_ended(services, len(kinds))
                assert 0 < max(most) <= LIMIT
                never = await compare(account, names, kinds, found)
                told = compare_calls(proxy, {key: kind for key, kind in kinds.items() if key not in never})
                print(f"{Counter(kinds.values())}, {told}, with a fault every {every} s for {seconds} s")


async def compare(
    account: Account, names: dict[str, str], kinds: dict[str, str], found: list[WorkflowSummary]
) -> set[str]:
    """What the store says is what Step Functions did, once for each workflow; those that were cancelled before."""
    assert {one.id: one.status for one in found} == {key: _ENDS[kind] for key, kind in kinds.items()}
    executions: Counter[str] = Counter()
    statuses: dict[str, str] = {}
    for name in names.values():
        machine = account.state_machine(f"{name}--0--A")
        async for item in account.items("ListExecutions", "executions", stateMachineArn=machine):
            executions[item["name"]] += 1
            statuses[item["name"]] = item["status"].lower().replace("aborted", "cancelled")
    never = {one.id for one in found if one.status is Status.CANCELLED} - executions.keys()  # cancelled while it waited
    assert executions == Counter(kinds.keys() - never)
    assert statuses == {one.id: str(one.status) for one in found if one.id not in never}
    return never


def compare_calls(proxy: Proxy, kinds: dict[str, str]) -> str:
    """What was asked of Step Functions: each start in one and the same way, however often, and stops of what was
    cancelled and of nothing else. How many calls there were."""
    starts, stops = defaultdict(list), defaultdict(list)
    for call in proxy.called("StartExecution"):
        starts[call["name"]].append(call)
    for call in proxy.called("StopExecution"):
        stops[call["executionArn"].rpartition(":")[2]].append(call)
    assert starts.keys() == kinds.keys()
    assert stops.keys() == {key for key, kind in kinds.items() if kind == "long"}
    for calls in (*starts.values(), *stops.values()):
        assert calls == calls[:1] * len(calls)
    counted = [Counter(len(calls) for calls in each.values()) for each in (starts, stops)]
    return "calls for one: StartExecution {}, StopExecution {}".format(*map(dict, counted))


@pytest.mark.slow
async def test_two_services_share_the_work(tmp_path: Path, free_tcp_port_factory: Callable[[], int]):
    ports = free_tcp_port_factory(), free_tcp_port_factory()
    await play(f"sqlite:///{tmp_path}/manager.sqlite", ports, seconds=6, every=1.5, before=HASTY)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("kind", "seconds"), [("postgresql", 120), ("sqlite", 60), ("dynamodb", 40)])
async def test_two_services_of_which_one_dies_or_sleeps(
    kind: str,
    seconds: float,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    free_tcp_port_factory: Callable[[], int],
):
    url = {"sqlite": f"sqlite:///{tmp_path}/manager.sqlite", "dynamodb": f"dynamodb://{unique('manager')}"}.get(kind)
    ports = free_tcp_port_factory(), free_tcp_port_factory()
    await play(url or request.getfixturevalue("postgresql_url"), ports, seconds=seconds, every=5.0, starters=9)
