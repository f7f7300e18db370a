"""Paths that read inside a value which may be a claim: they would find no such place, and fail the execution."""

from collections.abc import Iterable, Iterator
from typing import Any

from workers.arns import activity_name
from workers.doctor.findings import Finding
from workers.doctor.flow import Data, Moment
from workers.doctor.offloading import Offloading
from workers.doctor.paths import Steps, mentions, paths_in, same, shown, steps_of
from workers.machines.model.conditions import PATH_COMPARATORS
from workers.machines.model.machine import Map
from workers.machines.model.states import Choice


def check_reads(machine: str, moments: Iterable[Moment], offloaded: Offloading) -> Iterator[Finding]:
    """Judges every path of every state."""
    for moment in moments:
        told: set[str] = set()
        for data, steps, needed in _reads(moment):
            for activity, within in _inside(data, steps, needed=needed):
                if not offloaded.may_be_claim(activity, within):
                    continue
                part = shown(within)
                message = (
                    f"reads {shown(steps)}, which is {part} of what {activity_name(activity)} returns: when that is "
                    f"large, a claim stands there. Have it kept: keep=[{part!r}]"
                )
                if message not in told:
                    told.add(message)
                    yield Finding("reads-in-claim", f"{machine}: {moment.name}", message)


def _inside(data: Data, steps: Steps, *, needed: bool) -> Iterator[tuple[str, Steps]]:
    """The results that `steps` lead into, or to where the value itself is needed; and to which part of them."""
    for at, piece in data.items():
        if len(at) <= len(steps) and same(at, steps[: len(at)]) and (needed or len(at) < len(steps)):
            yield piece.activity, (*piece.within, *steps[len(at) :])


def _reads(moment: Moment) -> Iterator[tuple[Data, Steps, bool]]:
    """What a state reads: from which data, where, and whether it needs the value itself and not just passes it on."""
    if moment.jsonata:
        yield from _expressions(moment)
        return
    state, given = moment.state, moment.given
    for path, data in (
        (getattr(state, "input_path", None), given),
        (getattr(state, "output_path", None), moment.output),
    ):
        if path and (steps := steps_of(path)):
            yield data, steps, False
    for key in ("parameters", "item_selector"):
        yield from ((given, steps, False) for steps in _template_paths(getattr(state, key, None)))
    for steps in _template_paths(getattr(state, "result_selector", None)):
        yield moment.result, steps, False
    for path in _values(moment):
        if (steps := steps_of(path)) is not None:
            yield given, steps, True


def _values(moment: Moment) -> Iterator[str]:
    """The paths whose values a state needs."""
    state = moment.state
    if isinstance(state, Choice):
        for rule in state.choices:
            yield from _variables(rule.condition.to_asl())
    if isinstance(state, Map) and not state.item_reader:
        yield state.items_path or "$"
    for key in type(state).model_fields:
        value = getattr(state, key)
        if key.endswith(("_seconds_path", "seconds_path", "timestamp_path", "concurrency_path")) and value:
            yield value


def _variables(condition: Any) -> Iterator[str]:
    """The paths in a condition."""
    if isinstance(condition, list):
        for one in condition:
            yield from _variables(one)
    elif isinstance(condition, dict):
        for key, value in condition.items():
            if key == "Variable" or key in PATH_COMPARATORS:
                yield value
            else:
                yield from _variables(value)


def _template_paths(value: Any) -> Iterator[Steps]:
    if isinstance(value, dict):
        for key, member in value.items():
            if key.endswith(".$") and isinstance(member, str):
                yield from paths_in(member)
            else:
                yield from _template_paths(member)
    elif isinstance(value, list):
        for entry in value:
            yield from _template_paths(entry)


def _expressions(moment: Moment) -> Iterator[tuple[Data, Steps, bool]]:
    """What the JSONata of a state reads. Deeper than its own output, no state looks into another."""
    asl = moment.state.to_asl()
    for key in ("Branches", "ItemProcessor", "Iterator"):
        asl.pop(key, None)
    for key, value in asl.items():
        needed = key in {"Choices", "Items", "Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds"}
        for base, steps in mentions(value):
            yield (moment.result if base == "result" else moment.given), steps, needed
