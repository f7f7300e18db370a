"""The forms in which resources, executions and map runs are stored, and how they are made from them again."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from workers.local.activities import Activity
from workers.local.clock import Clock
from workers.local.executions import Execution, Origin
from workers.local.machines import Alias, Revision, StateMachine, Version
from workers.local.map_runs import MapRun

Revisions = dict[str, Revision]
"""By their hash: what is the same revision in memory is the same one again."""

_OF_EXECUTION = (
    *("arn", "name", "map_run", "items", "batch", "trace_header", "express", "started", "stopped", "status"),
    *("input", "output", "error", "cause", "redrives", "redriven", "redrive_tokens"),
)
_OF_MAP_RUN = (
    *("arn", "state", "started", "stopped", "status", "max_concurrency", "tolerated_count"),
    *("tolerated_percentage", "redrives", "redriven", "sizes", "written"),
)


def dump_revision(revision: Revision) -> tuple[str, str]:
    """A revision's hash and its document."""
    document = json.dumps(asdict(revision))
    return hashlib.sha256(document.encode()).hexdigest(), document


def load_revision(document: str) -> Revision:
    return Revision(**json.loads(document))


def dump_machine(machine: StateMachine, tags: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """A machine's document, and the revisions that it refers to."""
    held = [machine.revision, *(version.revision for version in machine.versions.values())]
    revisions = [dump_revision(revision) for revision in held]
    versions = [
        [version.arn, version.number, hashed, version.description, version.created]
        for version, (hashed, _) in zip(machine.versions.values(), revisions[1:], strict=True)
    ]
    document = {
        "machine": [machine.arn, machine.name, machine.type, revisions[0][0], machine.created, machine.last_version],
        "versions": versions,
        "aliases": [asdict(alias) for alias in machine.aliases.values()],
        "tags": tags,
    }
    return json.dumps(document), revisions


def load_machine(document: dict[str, Any], revisions: Revisions) -> StateMachine:
    arn, name, kind, hashed, created, last = document["machine"]
    machine = StateMachine(arn, name, kind, revisions[hashed], created, last_version=last)
    for version_arn, number, of, description, published in document["versions"]:
        machine.versions[number] = Version(version_arn, number, revisions[of], description, published)
    for alias in document["aliases"]:
        routes = [(version, weight) for version, weight in alias.pop("routes")]
        machine.aliases[alias["name"]] = Alias(**alias, routes=routes)
    return machine


def dump_activity(activity: Activity, tags: dict[str, str]) -> str:
    return json.dumps({"activity": [activity.arn, activity.name, activity.created], "tags": tags})


def dump_execution(execution: Execution, revision: str) -> str:
    """An execution's document without its history; `revision`: the hash of its own."""
    origin = execution.origin
    document = {name: getattr(execution, name) for name in _OF_EXECUTION}
    chosen = [origin.version_arn, origin.alias_arn, origin.test_case]
    document["origin"] = [origin.machine_arn, origin.machine_name, revision, *chosen]
    return json.dumps(document)


def load_execution(number: int, text: str, revisions: Revisions, clock: Clock) -> Execution:
    document = json.loads(text)
    machine_arn, machine_name, hashed, *chosen = document.pop("origin")
    origin = Origin(machine_arn, machine_name, revisions[hashed], *chosen)
    execution = Execution(number, document["arn"], document["name"], origin, document["input"], clock)
    for name, value in document.items():
        setattr(execution, name, value)
    return execution


def dump_map_run(map_run: MapRun) -> str:
    document = {name: getattr(map_run, name) for name in _OF_MAP_RUN}
    return json.dumps({**document, "awaiting": sorted(map_run.awaiting), "execution": map_run.execution.arn})


def load_map_run(document: dict[str, Any], execution: Execution) -> MapRun:
    map_run = MapRun(document["arn"], execution, document["state"], document["started"])
    for name in _OF_MAP_RUN:
        setattr(map_run, name, document[name])
    map_run.awaiting = set(document.get("awaiting", ()))  # an older engine has not stored it
    return map_run
