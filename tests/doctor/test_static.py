"""What is found without asking anybody: each rule once broken, and once kept."""

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from interceptors import Heartbeat, Payload
from tests.doctor import handlers
from tests.doctor.machines import ALL, chain, task
from workers import Registry
from workers.doctor import Level
from workers.doctor.errors import check_errors


def registry_of(**functions) -> Registry:
    registry = Registry()
    for name, function in functions.items():
        options = function[1] if isinstance(function, tuple) else {}
        registry.add(name, function[0] if isinstance(function, tuple) else function, **options)
    return registry


def told(findings) -> list[tuple[str, str]]:
    """Code and state of each finding."""
    return sorted((finding.code, finding.where.rpartition(": ")[2]) for finding in findings)


async def test_nothing_to_say(offline) -> None:
    assert await offline(registry_of(work=handlers.quiet), chain(Work=task("work"))) == []


async def test_activities_that_nobody_handles_and_handlers_that_nobody_uses(offline) -> None:
    found = await offline(registry_of(work=handlers.quiet, spare=handlers.quiet), chain(Work=task("wrok")))
    assert told(found) == [("not-handled", "Work"), ("not-used", "activity spare"), ("not-used", "activity work")]
    assert found[0].level is Level.ERROR
    assert "nothing handles the activity wrok" in found[0].message
    assert "Handled: spare, work" in found[0].message


async def test_names_are_compared_in_the_namespace(offline) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:activity:team--work"
    full = task(arn)
    machine = chain(Work=task("work"), Again=full)
    assert await offline(registry_of(work=handlers.quiet), machine, namespace="team") == []


async def test_nested_tasks_count_and_several_machines_share_a_registry(offline) -> None:
    inner = {"start_at": "Inner", "states": {"Inner": task("inner", end=True)}}
    one = chain(Both={"type": "parallel", "branches": [inner]})
    other = chain(Each={"type": "map", "item_processor": {**inner, "states": {"Inner": task("other", end=True)}}})
    assert await offline(registry_of(inner=handlers.quiet, other=handlers.quiet), one, other) == []


@pytest.mark.parametrize(
    ("heartbeat", "options", "code"),
    [
        (15, {}, "heartbeat-too-short"),
        (30, {}, "heartbeat-tight"),
        (31, {}, None),
        (30, {"heartbeat": 10}, None),
        (30, {"interceptors": [Heartbeat(10)]}, None),
        (30, {"interceptors": [Heartbeat(30)]}, "heartbeat-too-short"),
        (30, {"heartbeat": 0}, "no-beats"),
    ],
)
async def test_heartbeats(offline, heartbeat: int, options: dict, code: str | None) -> None:
    found = await offline(
        registry_of(work=(handlers.quiet, options)), chain(Work=task("work", heartbeat_seconds=heartbeat))
    )
    assert told(found) == ([(code, "Work")] if code else [])


async def test_a_handler_that_beats_by_itself_is_only_warned_of(offline) -> None:
    found = await offline(registry_of(work=(handlers.beating, {"heartbeat": 0})), chain(Work=task("work")))
    assert [(one.code, one.level) for one in found] == [("no-beats", Level.WARNING)]
    computed = task("work") | {"heartbeat_seconds_path": "$.beat"}
    del computed["heartbeat_seconds"]
    assert await offline(registry_of(work=(handlers.quiet, {"heartbeat": 0})), chain(Work=computed)) == []


async def test_a_handler_that_may_take_longer_than_its_state_waits(offline) -> None:
    found = await offline(registry_of(work=(handlers.quiet, {"timeout": 700})), chain(Work=task("work")))
    assert told(found) == [("timeout-too-short", "Work")]


async def test_errors_that_nothing_catches_and_catches_of_what_nothing_raises(offline) -> None:
    times = {"error_equals": ["States.Timeout", "States.HeartbeatTimeout"]}
    end = {"type": "pass", "end": True}
    work = task("work", retry=[times], catch=[{"error_equals": ["OrderMissing", "Shop.Nmaed"], "next": "Mend"}])
    found = await offline(registry_of(work=handlers.several), chain(Work=work | {"end": True}, Mend=end))
    assert told(found) == [("never-caught", "Work")] * 3 + [("never-raised", "Work")]
    messages = " ".join(finding.message for finding in found)
    for name in ("Shop.Renamed", "Shop.Named", "Shop.Own"):
        assert f"work raises {name} (handlers.py:" in messages
    assert "raises 'Shop.Nmaed'. What it raises: OrderMissing, Shop.Named, Shop.Own, Shop.Renamed" in messages


async def test_errors_are_caught_around_and_by_every_name(offline) -> None:
    times = {"error_equals": ["States.Timeout", "States.HeartbeatTimeout"]}
    inner = {"start_at": "Inner", "states": {"Inner": task("work", retry=[times], end=True)}}
    around = chain(Both={"type": "parallel", "branches": [inner], "retry": [{"error_equals": "States.TaskFailed"}]})
    assert told(await offline(registry_of(work=handlers.several), around)) == []


async def test_what_libraries_and_workers_raise_is_not_held_against_a_machine(offline) -> None:
    names = ["TimeoutError", "Worker.HandlerTimeout", "States.TaskFailed"]
    assert (
        await offline(registry_of(work=handlers.deep), chain(Work=task("work", retry=[{"error_equals": names}, ALL])))
        == []
    )
    unknown = task("work", retry=[{"error_equals": "Whatever"}, ALL])
    assert await offline(registry_of(work=handlers.computed), chain(Work=unknown)) == []
    known = task("work", retry=[{"error_equals": ["Renamed", "Worker.Gone"]}, ALL])
    found = await offline(registry_of(work=handlers.quiet), chain(Work=known))
    assert [(one.code, one.level) for one in found] == [
        ("no-such-error", Level.WARNING),
        ("never-raised", Level.NOTE),  # the module knows a class of that name: a library may raise it
    ]
    assert list(check_errors([], {})) == []


# --- what is offloaded


class Totals(BaseModel):
    count: int
    mean: float | None = None


class Order(TypedDict):
    status: str
    items: list[str]


def totals(x: int) -> Totals:
    return Totals(count=x)


def order(x: int) -> Order:
    return {"status": "new", "items": ["x"] * x}


def anything(x):
    return x


STORE = {"payloads": "memory://doctor"}


async def test_results_that_are_too_large_together(offline) -> None:
    branch = {"start_at": "A", "states": {"A": task("work", end=True)}}
    branches = [{"start_at": f"A{n}", "states": {f"A{n}": branch["states"]["A"]}} for n in range(5)]
    wide = chain(Wide={"type": "parallel", "branches": branches})
    assert told(await offline(registry_of(work=anything), wide, **STORE)) == [("too-large-together", "Wide")]
    assert await offline(registry_of(work=anything), wide) == []  # nothing is offloaded
    assert await offline(registry_of(work=totals), wide, **STORE) == []  # it is always small

    none = chain(Wide={"type": "parallel", "branches": branches, "result_path": None})
    assert await offline(registry_of(work=anything), none, **STORE) == []
    some = chain(Wide={"type": "parallel", "branches": branches, "result_selector": {"first.$": "$[0]"}})
    assert await offline(registry_of(work=anything), some, **STORE) == []
    narrow = registry_of(work=(anything, {"interceptors": [Payload("memory://doctor", budget=50_000)]}))
    assert await offline(narrow, wide, **STORE) == []


async def test_results_that_pile_up_along_the_way(offline) -> None:
    steps = {f"S{n}": task("work", result_path=f"$.r{n}") for n in range(6)}
    found = await offline(registry_of(work=anything), chain(**steps), **STORE)
    assert told(found) == [("too-large-together", "S4"), ("too-large-together", "S5")]
    assert "its output can have 327,680 bytes, with 5 results in it" in found[0].message

    again = {f"S{n}": task("work", result_path="$.r") for n in range(6)}
    assert await offline(registry_of(work=anything), chain(**again), **STORE) == []
    cleared = dict(steps, S3={"type": "pass", "parameters": {"r0.$": "$.r0"}})
    assert await offline(registry_of(work=anything), chain(**cleared), **STORE) == []
    round_ = chain(
        Work=task("work", result_path="$.r"),
        More={"type": "choice", "choices": [{"condition": "$.go", "next": "Work"}], "default": "Done"},
        Done={"type": "succeed"},
    )
    assert told(await offline(registry_of(work=anything), round_, **STORE)) == []


async def test_items_of_a_map_add_up(offline) -> None:
    each = {"start_at": "Item", "states": {"Item": task("work", end=True)}}
    machine = chain(Each={"type": "map", "item_processor": each})
    found = await offline(registry_of(work=anything), machine, **STORE)
    assert told(found) == [("items-too-large", "Each")]
    assert "more than 4 items are too many" in found[0].message
    machine["states"]["Each"]["result_path"] = None
    assert await offline(registry_of(work=anything), machine, **STORE) == []


JUDGE = {
    "type": "choice",
    "choices": [{"condition": ["=", "$.order.status", "new"], "next": "Done"}],
    "default": "Done",
}
DONE = {"type": "succeed"}


async def test_paths_that_read_inside_what_may_be_a_claim(offline) -> None:
    machine = chain(Get=task("get", result_path="$.order"), Judge=JUDGE, Done=DONE)
    found = await offline(registry_of(get=order), machine, **STORE)
    assert told(found) == [("reads-in-claim", "Judge")]
    assert "reads $.order.status, which is $.status of what get returns" in found[0].message
    assert "keep=['$.status']" in found[0].message

    def keeping(**options):
        return registry_of(get=(order, {"interceptors": [Payload("memory://doctor", **options)]}))

    assert await offline(keeping(keep=["$.status"]), machine) == []
    assert await offline(keeping(keys=["items"]), machine) == []
    assert told(await offline(keeping(keys="all"), machine)) == [("reads-in-claim", "Judge")]
    assert told(await offline(keeping(keep=["$.items[*].id"]), machine)) == [("reads-in-claim", "Judge")]
    assert await offline(registry_of(get=totals), machine, **STORE) == []
    assert await offline(registry_of(get=order), machine) == []


async def test_every_kind_of_reading(offline) -> None:
    each = {"start_at": "Item", "states": {"Item": {"type": "pass", "end": True}}}
    machine = chain(
        Get=task("get", result_selector={"first.$": "$.items[0]", "all.$": "$.items"}, result_path="$.order"),
        Whole=task("use", parameters={"order.$": "$.order.all", "other.$": "$.other.all"}, result_path=None),
        Part=task("use", parameters={"text.$": "States.Format('{}', $.order.all.x)"}, result_path=None),
        Narrow={"type": "pass", "input_path": "$.order.all.y", "result_path": None},
        Each={"type": "map", "items_path": "$.order.all", "item_processor": each, "result_path": None},
        Wait={"type": "wait", "seconds_path": "$.order.first"},
        Out={"type": "pass", "output_path": "$.order.first.z"},
    )
    found = await offline(registry_of(get=anything, use=handlers.quiet), machine, **STORE)
    assert told(found) == [
        ("reads-in-claim", "Each"),
        ("reads-in-claim", "Get"),
        ("reads-in-claim", "Get"),
        ("reads-in-claim", "Narrow"),
        ("reads-in-claim", "Out"),
        ("reads-in-claim", "Part"),
        ("reads-in-claim", "Wait"),
    ]


async def test_jsonata_reads_too(offline) -> None:
    machine = chain(
        Get=task(
            "get",
            arguments={"x": "{% $states.input.x %}"},
            output={"order": "{% $states.result %}", "status": "{% $states.result.status %}"},
        ),
        Judge={
            "type": "choice",
            "choices": [{"condition": "{% $states.input.order.status = 'new' %}", "next": "Done"}],
            "default": "Done",
        },
        Done=DONE,
    ) | {"query_language": "JSONata"}
    found = await offline(registry_of(get=order), machine, **STORE)
    assert told(found) == [("reads-in-claim", "Get"), ("reads-in-claim", "Judge")]
    assert "reads $.order.status, which is $.status" in found[1].message


async def test_a_catcher_leads_on_with_what_was_there(offline) -> None:
    work = task("use", catch=[{"error_equals": "States.ALL", "next": "Judge", "result_path": "$.error"}], end=True)
    machine = chain(Get=task("get", result_path="$.order"), Use=work, Judge=JUDGE, Done=DONE)
    found = await offline(registry_of(get=order, use=handlers.quiet), machine, **STORE)
    assert told(found) == [("reads-in-claim", "Judge")]
