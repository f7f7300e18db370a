"""The picture of an execution: what is hidden, what is escaped, what long documents show."""

from html.parser import HTMLParser
from typing import Any

from workers.histories.progress import Progress
from workers.machines.definition import load
from workers.machines.graph.chart import chart_of
from workers.web.execution.picture import picture
from workers.web.execution.values import text_of
from workers.web.execution.view import View

PASS = {"Type": "Pass", "End": True}


def nested(states: dict[str, Any], start: str) -> dict[str, Any]:
    branch = {"StartAt": start, "States": states}
    return {"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "Branches": [branch], "End": True}}}


def chain(length: int) -> dict[str, Any]:
    inner = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(length - 1)}
    return nested(inner | {f"S{length - 1}": PASS}, "S0")


def drawn(definition: dict[str, Any], view: View | None = None) -> list[tuple[str, dict[str, str | None]]]:
    """The elements of the picture, with their attributes."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    chart = chart_of(load(definition).sketch())
    Reader().feed(picture(chart, Progress(), view or View(), title="it"))
    return found


def states(elements: list[tuple[str, dict[str, str | None]]]) -> set[str | None]:
    return {attributes["data-state"] for _, attributes in elements if "data-state" in attributes}


def test_the_inside_of_states_is_shown_unless_there_is_too_much_of_it() -> None:
    assert states(drawn(chain(10))) == {"Both", *(f"S{number}" for number in range(10))}
    assert states(drawn(chain(10), View(fold=frozenset({"Both"})))) == {"Both"}
    assert states(drawn(chain(500))) == {"Both"}
    assert len(states(drawn(chain(500), View(fold=frozenset({"Both"}))))) == 501


def test_a_name_is_never_markup() -> None:
    name = "\"><script>alert('1')</script>\x00&amp;"
    elements = drawn(nested({name: PASS}, name))
    assert "script" not in {tag for tag, _ in elements}
    assert name.replace("\x00", "\ufffd") in states(elements)
    assert not any(key.startswith("on") for _, attributes in elements for key in attributes)


def test_each_state_is_a_link_to_its_step_that_keeps_the_view() -> None:
    view = View(tab="events", fold=frozenset({"x"}))
    links = [attributes["href"] for tag, attributes in drawn(chain(2), view) if tag == "a"]
    assert "?tab=events&state=S0&fold=x" in links


def test_long_documents_begin_with_their_beginning() -> None:
    assert text_of({"a": [1]}).text == '{\n  "a": [\n    1\n  ]\n}'
    long = [{"n": number} for number in range(10_000)]
    cut = text_of(long)
    assert (cut.is_cut, len(cut.text)) == (True, 20_000)
    assert text_of(long, whole=True).text.startswith(cut.text)
    assert text_of("x" * 30_000).is_cut
