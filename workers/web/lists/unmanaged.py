"""Lists of executions as Step Functions has them, and the page that a visit begins with where there is no manager."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from workers.executions.execution import Execution, Status
from workers.stepfunctions.protocol import ServiceError
from workers.web.here import account_here, recent_here
from workers.web.lists.managed import SPANS
from workers.web.lists.plots import by_definition, plots_of
from workers.web.lists.raw import (
    MOST_MACHINES,
    SEARCHED,
    Found,
    Machine,
    machine_name,
    machines,
    newest,
    page,
    searched,
    tallies,
)
from workers.web.rendering import render

PAGE = 50
"""Executions on a page."""
_SHOWN = 10
_SAMPLE = 100
"""Executions of each machine that the start page looks at."""
_FRESH = 1.5
"""Seconds for which a list is shown as it was: all viewers together cost one read."""
_BAD = {Status.FAILED, Status.TIMED_OUT, Status.ABORTED}


async def start(request: Request) -> Response:
    """What failed lately, what runs, and how it went."""
    span = SPANS.get(request.query_params.get("span", "day"), SPANS["day"])
    known, found = await sample(request)
    since = span.since(datetime.now(UTC))
    bad = [one for one in found.items if one.status in _BAD]
    going = [one for one in found.items if not one.status.ended]
    return render(
        request,
        "lists/start_raw.html",
        machines=known,
        bad=bad[:_SHOWN],
        going=going[:_SHOWN],
        latest=found.items[:_SHOWN],
        numbers={"failed": len(bad), "running": len(going), "seen": len(found.items)},
        more=found.more,
        plots=plots_of(by_definition(tallies(found.items, since, span.step)), span, since),
        is_fresh=True,
        spans=SPANS,
        span=span,
        machine_name=machine_name,
    )


async def sample(request: Request) -> tuple[list[Machine], Found]:
    """All machines, and the newest executions of those that were made last."""
    known = await known_machines(request)

    async def read() -> Found:
        among = sorted(known, key=lambda machine: machine.created, reverse=True)[:MOST_MACHINES]
        return await newest(account_here(request), among, None, _SAMPLE * max(len(among), 1), each=_SAMPLE)

    return known, await recent_here(request).get("sample", _FRESH, read)


async def known_machines(request: Request) -> list[Machine]:
    """All machines, by name."""
    return await recent_here(request).get("machines", _FRESH, lambda: machines(account_here(request)))


async def executions(request: Request) -> Response:
    """A page of executions: of one machine, or the newest of all."""
    asked = AskedRaw(request)
    known = await known_machines(request)
    try:
        found = await listed(request, asked, known)
    except ServiceError as error:
        if error.code != "InvalidToken":
            raise
        asked.problems.append("page: this page is not known any more, begin with the first one")
        found = Found(())
    return render(
        request,
        "lists/executions.html",
        asked=asked,
        found=found,
        machines=known,
        too_many=asked.machine == "" and len(known) > MOST_MACHINES,
        problems=asked.problems,
        statuses=list(Status),
        searched=SEARCHED,
        machine_name=machine_name,
    )


class AskedRaw:
    """What the address of a list of executions says."""

    def __init__(self, request: Request) -> None:
        given = request.query_params
        self.machine = given.get("machine", "").strip()
        self.text = given.get("text", "").strip()
        self.page = given.get("page", "")
        self.problems: list[str] = []
        status = given.get("status", "")
        if status and status not in set(Status):
            self.problems.append(f"status: there is no {status}")
            status = ""
        self.status = Status(status) if status else None

    def address(self, **changes: Any) -> dict[str, str]:
        """The same, with changes, as parameters of an address."""
        given = {"machine": self.machine, "text": self.text, "status": self.status or "", **changes}
        return {name: str(value) for name, value in given.items() if value}


async def listed(request: Request, asked: AskedRaw, known: list[Machine]) -> Found:
    """What was asked for. Raises `ServiceError`."""
    account = account_here(request)

    async def read() -> Found:
        if not asked.machine:
            among = known if len(known) <= MOST_MACHINES else []
            return await newest(account, among, asked.status, PAGE, asked.text)
        arn = account.state_machine(asked.machine)
        if asked.text:
            return await searched(account, arn, asked.status, asked.text, PAGE)
        return await page(account, arn, asked.status, asked.page or None, PAGE)

    key = ("list", asked.machine, asked.text, asked.status, asked.page)
    return await recent_here(request).get(key, _FRESH, read)


def fingerprint(items: tuple[Execution, ...]) -> int:
    """What is different when a list is."""
    return hash(tuple((one.arn, one.status, one.redrives) for one in items))
