"""Pictures of definitions, and of executions on them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from rich.tree import Tree

from workers.machines.definition import Definition, load
from workers.machines.graph.chart import Chart, chart_of
from workers.machines.graph.data import data
from workers.machines.graph.mermaid import mermaid
from workers.machines.graph.seen import Seen, seen_in
from workers.machines.graph.svg import svg
from workers.machines.graph.tree import tree
from workers.machines.model.machine import StateMachine

Given = str | Path | Mapping[str, Any] | StateMachine | Definition
History = Iterable[Mapping[str, Any]]


def draw(
    given: Given,
    form: Literal["mermaid", "svg"] = "svg",
    *,
    history: History | None = None,
    title: str | None = None,
) -> str:
    """The picture of a definition: Mermaid text, or SVG that stands on its own.

    `history`: events of an execution, oldest first, as GetExecutionHistory gives them; the picture then shows what
    succeeded, failed, was caught, and was not taken. `title`: what the picture is called; by default the definition's
    name. Raises `InvalidDefinitionError`, and `UsageError` for a file that cannot be opened.
    """
    definition = load(given)
    chart, seen = _seen(definition, history)
    return mermaid(chart, seen) if form == "mermaid" else svg(chart, seen, title=title or definition.name)


def draw_tree(given: Given, *, history: History | None = None, title: str | None = None) -> Tree:
    """The picture of a definition for the terminal, to be printed by rich. Arguments as for `draw()`."""
    definition = load(given)
    chart, seen = _seen(definition, history)
    return tree(chart, seen, title=title or definition.name)


def draw_data(given: Given, *, history: History | None = None) -> dict[str, Any]:
    """The picture of a definition as data: its states and the ways between them. Arguments as for `draw()`."""
    return data(*_seen(load(given), history))


def _seen(definition: Definition, history: History | None) -> tuple[Chart, Seen | None]:
    return chart_of(definition.sketch()), None if history is None else seen_in(history)
