import re
from datetime import UTC, datetime
from itertools import combinations, pairwise, takewhile
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.machines.conformance import needs_cases, recorded_cases
from tests.machines.strategies import machines
from tests.machines.test_properties import some
from workers.errors import UsageError
from workers.histories.visits import Outcome
from workers.machines import InvalidDefinitionError, StateMachine, draw, draw_data, draw_tree, parse
from workers.machines.graph.chart import Kind, chart_of, short_resource
from workers.machines.graph.layers import layered
from workers.machines.graph.placing import place
from workers.machines.graph.seen import seen_in

SVG = "{http://www.w3.org/2000/svg}"
ORDERS = """
start_at: Fetch
timeout_seconds: 3600
states:
  Fetch:
    type: task
    resource: fetch
    timeout_seconds: 60
    heartbeat_seconds: 10
    retry: [{error_equals: States.Timeout}]
    catch: [{error_equals: [Gone, Lost], next: Sorry}, {error_equals: States.ALL, next: Failed}]
    next: Size
  Size:
    type: choice
    choices:
      - {condition: [and, [">=", $.value, 20], [not, $.small]], next: Both}
      - {condition: [or, [is_present, $.x], ["=", $.name, a "b"]], next: Pause}
    default: Each
  Pause: {type: wait, seconds: 10, next: Size}
  Both:
    type: parallel
    branches:
      - {start_at: Charge, states: {Charge: {type: task, resource: 'lambda:charge', end: true}}}
      - {start_at: Ship, states: {Ship: {type: task, resource: 'arn:aws:states:::sqs:sendMessage', end: true}}}
    catch: [{error_equals: States.ALL, next: Failed}]
    next: Done
  Each:
    type: map
    item_processor: {start_at: Weigh, states: {Weigh: {type: pass, end: true}}}
    next: Again
  Again: {type: choice, choices: [{condition: $.again, next: Again}], default: Done}
  Sorry: {type: pass, next: Done}
  Done: {type: succeed}
  Failed: {type: fail, error: OrderFailed}
"""


def event(number: int, before: int, kind: str, name: str | None = None) -> dict[str, Any]:
    details = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    what = {"id": number, "previousEventId": before, "type": kind, "timestamp": datetime.now(UTC)}
    return what | ({details: {"name": name}} if name else {})


HISTORY = [
    event(1, 0, "ExecutionStarted"),
    event(2, 0, "TaskStateEntered", "Fetch"),
    event(3, 2, "ActivityScheduled"),
    event(4, 3, "ActivityStarted"),
    event(5, 4, "ActivityTimedOut"),
    event(6, 5, "ActivityScheduled"),
    event(7, 6, "ActivityStarted"),
    event(8, 7, "ActivitySucceeded"),
    event(9, 8, "TaskStateExited", "Fetch"),
    event(10, 9, "ChoiceStateEntered", "Size"),
    event(11, 10, "ChoiceStateExited", "Size"),
    event(12, 11, "ParallelStateEntered", "Both"),
    event(13, 12, "ParallelStateStarted"),
    event(14, 13, "TaskStateEntered", "Charge"),
    event(15, 13, "TaskStateEntered", "Ship"),
    event(16, 14, "LambdaFunctionScheduled"),
    event(17, 16, "LambdaFunctionFailed"),
    event(18, 17, "ParallelStateFailed"),
    event(19, 18, "ParallelStateExited", "Both"),
    event(20, 19, "FailStateEntered", "Failed"),
    event(21, 20, "ExecutionFailed"),
]
OUTCOMES = {
    "Fetch": Outcome.SUCCEEDED,
    "Size": Outcome.SUCCEEDED,
    "Pause": None,
    "Both": Outcome.CAUGHT,
    "Charge": Outcome.FAILED,
    "Ship": Outcome.ABORTED,
    "Each": None,
    "Weigh": None,
    "Again": None,
    "Sorry": None,
    "Done": None,
    "Failed": Outcome.FAILED,
}
WORDS = {name: outcome or "not taken" for name, outcome in OUTCOMES.items()}


def shown(history: Any = None) -> str:
    console = Console(width=100, no_color=True)
    with console.capture() as capture:
        console.print(draw_tree(parse(ORDERS), history=history, title="orders"))
    return capture.get()


def test_a_chart_has_every_state_and_every_way():
    chart = chart_of(parse(ORDERS).sketch())
    assert {box.name: around for box, around in chart.walk()} == dict.fromkeys(OUTCOMES) | {
        "Charge": "Both",
        "Ship": "Both",
        "Weigh": "Each",
    }
    assert [(way.target, way.kind, way.label) for way in chart.ways if way.source in {"Size", "Fetch"}] == [
        ("Size", Kind.NEXT, ""),
        ("Sorry", Kind.CATCH, "Gone, Lost"),
        ("Failed", Kind.CATCH, "any error"),
        ("Both", Kind.RULE, "$.value >= 20 and not $.small"),
        ("Pause", Kind.RULE, "$.x is present or $.name = 'a \"b\"'"),
        ("Each", Kind.DEFAULT, "else"),
    ]
    assert [name for name, box in chart.boxes.items() if box.ends] == ["Done", "Failed"]


@pytest.mark.parametrize(
    ("resource", "short"),
    [
        ("arn:aws:states:eu-west-1:123456789012:activity:prod--add", "prod--add"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live", "lambda:f:live"),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "sqs:sendMessage.waitForTaskToken"),
        ("${AddActivity}", "${AddActivity}"),
    ],
)
def test_resources_are_shortened(resource: str, short: str):
    assert short_resource(resource) == short


def test_the_outcomes_of_states():
    chart = chart_of(parse(ORDERS).sketch())
    seen = seen_in(HISTORY)
    assert {box.name: seen.outcome(box.name) for box, _ in chart.walk()} == OUTCOMES
    assert seen.taken == {("Fetch", "Size"), ("Size", "Both"), ("Both", "Failed")}
    assert seen.note("Fetch") == "1 failed attempt"
    assert seen.note("Size") == ""


def test_an_execution_that_is_still_running():
    seen = seen_in(HISTORY[:15])
    assert seen.outcome("Both") is Outcome.RUNNING
    assert seen.outcome("Charge") is Outcome.RUNNING
    assert seen_in([]).outcome("Fetch") is None
    assert seen_in([]).word("Fetch") == "not taken"


def test_iterations_are_counted_together():
    history = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "MapStateEntered", "M"),
        event(3, 2, "MapStateStarted"),
        event(4, 3, "MapIterationStarted"),
        event(5, 4, "PassStateEntered", "I"),
        event(6, 5, "PassStateExited", "I"),
        event(7, 6, "MapIterationSucceeded"),
        event(8, 6, "MapIterationStarted"),
        event(9, 8, "PassStateEntered", "I"),
        event(10, 9, "PassStateExited", "I"),
        event(11, 10, "MapIterationSucceeded"),
        event(12, 11, "MapStateSucceeded"),
        event(13, 12, "MapStateExited", "M"),
        event(14, 13, "ExecutionSucceeded"),
    ]
    seen = seen_in(history)
    assert (seen.outcome("M"), seen.outcome("I"), seen.note("I")) == (Outcome.SUCCEEDED, Outcome.SUCCEEDED, "2 times")


@needs_cases
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"].split("::")[-1]) for case in recorded_cases()])
def test_recorded_executions_are_drawn(case: dict[str, Any]):
    # One case is known only to its start: then lists stand where numbers should.
    known = takewhile(lambda one: isinstance(one["id"], int), case["events"])
    history = sorted(known, key=lambda one: one["id"])
    chart = chart_of(StateMachine.model_validate(case["definition"]))
    seen = seen_in(history)
    entered = {event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event}
    for box, _ in chart.walk():
        assert (seen.outcome(box.name) is None) == (box.name not in entered)
    if history[-1]["type"] == "ExecutionFailed":
        assert Outcome.FAILED in {seen.outcome(name) for name in chart.boxes}
    if history[-1]["type"] == "ExecutionSucceeded":
        assert {seen.outcome(name) for name in chart.boxes} <= {Outcome.SUCCEEDED, Outcome.CAUGHT, None}
    ET.fromstring(draw(case["definition"], history=history))


def test_an_svg_stands_on_its_own():
    picture = draw(parse(ORDERS), title="orders & more")
    root = ET.fromstring(picture)
    assert root.findtext(f"{SVG}title") == "orders & more"
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert sorted(names) == sorted(OUTCOMES)
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
    assert "any error" in picture


def test_an_svg_shows_what_became_of_each_state():
    root = ET.fromstring(draw(parse(ORDERS), history=HISTORY))
    shapes = {
        group.findtext(f"{SVG}text"): next(part for part in group if "box" in (part.get("class") or "").split())
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}title") is not None
    }
    assert {name: shape.get("class").split()[-1].replace("-", " ") for name, shape in shapes.items()} == WORDS
    assert len([path for path in root.iter(f"{SVG}path") if "taken" in (path.get("class") or "").split()]) >= 5


def test_a_label_can_be_read_in_viewers_that_know_no_more_than_svg_1_1():
    group = next(group for group in ET.fromstring(draw(parse(ORDERS))).iter(f"{SVG}g"))
    labels = [index for index, part in enumerate(group) if part.get("class") == "label"]
    assert labels
    assert {group[index - 1].get("class") for index in labels} == {"behind"}
    assert "paint-order" not in draw(parse(ORDERS))


def test_the_picture_as_data():
    drawn = draw_data(parse(ORDERS), history=HISTORY)
    assert drawn["start"] == "Fetch"
    states = {state["name"]: state for state in drawn["states"]}
    for state in drawn["states"]:
        states |= {inner["name"]: inner for branch in state["branches"] for inner in branch["states"]}
    assert {name: state["outcome"] for name, state in states.items()} == WORDS
    ways = {(way["source"], way["target"]): way for way in drawn["ways"]}
    assert ways["Fetch", "Size"] == {
        "source": "Fetch", "target": "Size", "kind": "next", "label": "", "taken": True,
    }  # fmt: skip
    assert "outcome" not in draw_data(parse(ORDERS))["states"][0]


def test_mermaid():
    lines = draw(parse(ORDERS), "mermaid").splitlines()
    assert lines[0] == "flowchart TD"
    assert '  s1["<b>Fetch</b><br>task fetch"]' in lines
    assert '  s2{{"<b>Size</b><br>choice"}}' in lines
    assert '  s2 -->|"$.value #62;= 20 and not $.small"| s4' in lines
    assert '  s1 -.->|"Gone, Lost"| s10' in lines
    assert lines.count("  end") == 2
    drawn = draw(parse(ORDERS), "mermaid", history=HISTORY)
    assert "  class s4 caught\n" in drawn
    assert "  s1 ==> s2\n" in drawn


def test_the_tree():
    lines = shown().splitlines()
    assert lines[0].strip() == "orders"
    assert "├── Fetch  task fetch → Size" in lines[1]
    assert "Gone, Lost ⇢ Sorry" in lines[2]
    assert "branch 2" in shown()
    assert "└── Failed  fail OrderFailed → end" in lines[-1]


def test_the_tree_of_an_execution():
    text = shown(HISTORY)
    for line in ("✓ Fetch", "1 failed attempt", "! Both", "✗ Charge", "■ Ship", "· Pause", "✗ Failed"):
        assert line in text


def test_only_valid_definitions_are_drawn():
    with pytest.raises(InvalidDefinitionError):
        draw({"StartAt": "S", "States": {}})
    with pytest.raises(UsageError, match="cannot read"):
        draw("/nowhere.yaml")


graphs = st.integers(2, 12).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.lists(
            st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda pair: pair[0] != pair[1]),
            max_size=25,
        ),
    )
)


@settings(some, max_examples=100)
@given(graphs)
def test_layers_put_neighbours_apart_and_paths_step_by_step(graph: tuple[int, list[tuple[int, int]]]):
    size, edges = graph
    layers = layered(range(size), edges, 0)
    row_of = {node: index for index, row in enumerate(layers.rows) for node in row}
    assert sorted(node for node in row_of if isinstance(node, int)) == list(range(size))
    for (source, target), path in layers.paths.items():
        assert (path[0], path[-1]) == (source, target)
        steps = {row_of[after] - row_of[before] for before, after in pairwise(path)}
        assert steps in ({1}, {-1})


@settings(some, max_examples=100)
@given(graphs, st.data())
def test_boxes_never_overlap(graph: tuple[int, list[tuple[int, int]]], data: st.DataObject):
    size, edges = graph
    sizes = {
        node: (data.draw(st.integers(10, 300)) * 1.0, data.draw(st.integers(10, 90)) * 1.0) for node in range(size)
    }
    placed = place(sizes, edges, 0, gap=40)
    for one, other in combinations(range(size), 2):
        across = abs(placed.centers[one][0] - placed.centers[other][0]) - (sizes[one][0] + sizes[other][0]) / 2
        down = abs(placed.centers[one][1] - placed.centers[other][1]) - (sizes[one][1] + sizes[other][1]) / 2
        assert across > -0.01 or down > -0.01
    for node, (x, y) in placed.centers.items():
        assert -0.01 <= x - sizes[node][0] / 2 <= x + sizes[node][0] / 2 <= placed.size[0] + 0.01
        assert -0.01 <= y - sizes[node][1] / 2 <= y + sizes[node][1] / 2 <= placed.size[1] + 0.01


@settings(some, max_examples=8)
@given(machines())
def test_every_machine_can_be_drawn(asl: dict[str, Any]):
    ET.fromstring(draw(asl))
    assert re.match(r"flowchart TD\n", draw(asl, "mermaid"))
    Console(quiet=True).print(draw_tree(asl))


def test_a_large_machine_is_drawn():
    states = {
        f"S{i}": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": f"S{i + 1}",
                  "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S199"}]}
        for i in range(199)
    }  # fmt: skip
    asl = {"StartAt": "S0", "States": states | {"S199": {"Type": "Succeed"}}}
    assert draw(asl).count("<title>S") == 200
