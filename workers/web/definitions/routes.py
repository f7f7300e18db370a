"""The addresses of definitions, and of state machines."""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.manager.model import Count, Status
from workers.web.definitions.difference import difference
from workers.web.definitions.versions import LATEST, Version, described, managed, of_machine
from workers.web.here import account_here, manager_here, recent_here
from workers.web.lists.managed import COUNTED, numbers
from workers.web.lists.raw import machines as known_machines
from workers.web.rendering import render

_SHOWN = 100
"""Definitions, or state machines, in a list: of more, one looks for a part of the name."""


async def definitions(request: Request) -> Response:
    """All definitions, each with how its workflows stand."""
    manager = manager_here(request)
    counts = await recent_here(request).get("counts", COUNTED, manager.counts)
    text = request.query_params.get("text", "").strip()
    found = [one for one in await manager.definitions() if text.lower() in one.name.lower()]
    of_name: dict[str, list[Count]] = {}
    for count in counts:
        of_name.setdefault(count.workflow_definition_name, []).append(count)
    by_name = {one.name: numbers(of_name.get(one.name, ())) for one in found[:_SHOWN]}
    return _names(request, "definitions/list.html", found, text, numbers=by_name, statuses=list(Status))


async def definition(request: Request) -> Response:
    """One definition: a version of it, or how two versions differ."""
    name = request.path_params["name"]
    versions = [managed(one) for one in reversed(await manager_here(request).definition_versions(name))]
    shown = _chosen(versions, request.query_params.get("version") or versions[0].label)
    against = request.query_params.get("against")
    counts = await recent_here(request).get("counts", COUNTED, manager_here(request).counts)
    own = [count for count in counts if count.workflow_definition_name == name]
    return _shown(request, versions, shown, _chosen(versions, against) if against else None, numbers=numbers(own))


async def machines(request: Request) -> Response:
    """All state machines."""
    text = request.query_params.get("text", "").strip()
    known = await recent_here(request).get("machines", 1.5, lambda: known_machines(account_here(request)))
    found = [one for one in known if text.lower() in one.name.lower()]
    return _names(request, "definitions/machines.html", found, text)


async def machine(request: Request) -> Response:
    """One state machine: what it runs now, one of its versions, or how two differ."""
    name, account = request.path_params["name"], account_here(request)
    versions = await of_machine(account, name)

    async def whole(label: str) -> Version:
        known = _chosen(versions, label)
        return known if known.machine is not None else await described(account, name, label)

    shown = await whole(request.query_params.get("version", LATEST))
    against = request.query_params.get("against")
    return _shown(request, versions, shown, await whole(against) if against is not None else None, numbers=None)


ROUTES = [
    Route("/definitions", definitions, name="definitions"),
    Route("/definitions/{name}", definition, name="definition"),
    Route("/machines", machines, name="machines"),
    Route("/machines/{name}", machine, name="machine"),
]


def _names(request: Request, template: str, found: Sequence[Any], text: str, **values: Any) -> Response:
    """A list of definitions or machines whose names hold a text."""
    left_out = max(len(found) - _SHOWN, 0)
    return render(request, template, found=found[:_SHOWN], left_out=left_out, text=text, **values)


def _chosen(versions: list[Version], label: str) -> Version:
    for version in versions:
        if version.label == label:
            return version
    raise HTTPException(404, f"{versions[0].name} has no version {label}.")


def _shown(
    request: Request,
    versions: list[Version],
    shown: Version,
    against: Version | None,
    *,
    numbers: dict[str, int] | None,
) -> Response:
    differs = difference(against.machine or {}, shown.machine or {}) if against else None
    return render(
        request,
        "definitions/definition.html",
        name=shown.name,
        versions=versions,
        shown=shown,
        against=against,
        differs=differs,
        numbers=numbers,
        kept=numbers is not None,
    )
