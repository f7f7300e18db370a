"""Makes an engine know again what its store has."""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from workers.local.activities import Activity
from workers.local.executions import Execution
from workers.local.frames import Frame, load
from workers.local.history import Event
from workers.local.region import Region
from workers.local.store import Store
from workers.local.stored import Revisions, load_execution, load_machine, load_map_run, load_revision


def restore(store: Store, region: Callable[[str], Region]) -> None:
    """Fills the regions from the store and lets their executions go on. `region` gives the one of a name."""
    revisions: Revisions = {hashed: load_revision(text) for hashed, text in store.rows("revisions")}
    names = set()
    for name, arn, text in store.rows("resources"):
        names.add(name)
        _restore_resource(region(name), arn, json.loads(text), revisions)
    names |= _restore_executions(store, region, revisions)
    restored = [region(name) for name in names]
    for one in restored:
        one.clock.go_on(one.executions.latest())
    for one in restored:
        one.resume()


def _restore_resource(region: Region, arn: str, document: dict[str, Any], revisions: Revisions) -> None:
    if document["tags"]:
        region.tags[arn] = document["tags"]
    if "activity" in document:
        region.activities.adopt(Activity(*document["activity"]))
    else:
        region.machines.add(load_machine(document, revisions))


def _restore_executions(store: Store, region: Callable[[str], Region], revisions: Revisions) -> set[str]:
    events: defaultdict[tuple[str, int], list[Event]] = defaultdict(list)
    for name, number, _, text in store.rows("events"):
        events[name, number].append(json.loads(text))
    frames: defaultdict[tuple[str, int], list[Frame]] = defaultdict(list)
    for name, number, _, text in store.rows("frames"):
        frames[name, number].append(load(text))
    children: defaultdict[str, list[Execution]] = defaultdict(list)
    names = set()
    for name, number, text in store.rows("executions"):
        names.add(name)
        execution = load_execution(number, text, revisions, region(name).clock)
        execution.events = events[name, number]
        region(name).adopt(execution, frames[name, number])
        if execution.map_run is not None:
            children[execution.map_run].append(execution)
    for name, arn, text in store.rows("map_runs"):
        document = json.loads(text)
        if parent := region(name).executions.get(document["execution"]):
            map_run = load_map_run(document, parent)
            region(name).adopt_map_run(map_run)
            for child in children[arn]:
                parent.children.append(child)
                map_run.children[child.batch or 0] = child
    return names
