"""What the demo prints: the census, and the path that one execution took."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from workers.demo.path import Path, Step
from workers.executions.execution import Execution

_NUMBERS = ("modules", "lines", "functions", "classes")


def census_table(executions: Sequence[Execution]) -> RenderableType:
    """A row for each package, the largest first, a row for all, and what stands out."""
    found = sorted((execution.output for execution in executions), key=lambda output: -output["totals"]["lines"])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("package", style="bold", no_wrap=True, min_width=15)
    for heading in (*_NUMBERS, "documented"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=max(6, len(heading)))
    table.add_column("longest function, in lines", no_wrap=True, overflow="ellipsis")
    for output in found:
        totals, longest = output["totals"], output["records"]["longest"]
        table.add_row(*_cells(totals), f"{longest['size']:3} {_short(longest['name'])}" if longest else "")
    table.add_section()
    table.add_row(*_cells(_sum(found)))
    return Group(table, *_findings(found))


def _findings(found: Sequence[Any]) -> list[Text]:
    imports: Counter[str] = Counter()
    for output in found:
        imports.update(output["records"]["imports"])
    tangled = [output["records"]["tangled"] for output in found if output["records"]["tangled"]]
    left_out = [module for output in found for module in output["totals"]["left_out"]]
    lines = [
        ("Most imported", [f"{name} ({count})" for name, count in imports.most_common(6)]),
        ("Most branches", [f"{each['name']} ({each['size']})" for each in sorted(tangled, key=_size)[:-3:-1]]),
        ("Left out", [f"{module['name']} ({module['reason']})" for module in left_out]),
    ]
    return [Text.assemble((f"{what}: ", "bold"), ", ".join(these)) for what, these in lines if these]


def _short(name: str) -> str:
    """A function's name without its module's, but with its class's."""
    return ".".join(name.split(".")[-2:])


def _size(measured: Any) -> int:
    return int(measured["size"])


def _cells(totals: Any) -> list[str]:
    defined = totals["functions"] + totals["classes"]
    documented = f"{totals['documented'] / defined:.0%}" if defined else ""
    return [totals["package"], *(f"{totals[number]:,}" for number in _NUMBERS), documented]


def _sum(found: Sequence[Any]) -> dict[str, Any]:
    return {"package": "all"} | {
        number: sum(output["totals"][number] for output in found) for number in (*_NUMBERS, "documented")
    }


def path_tree(execution: Execution, path: Path) -> Tree:
    """The path of an execution: its states in order, the iterations and branches below theirs."""
    tree = Tree(f"[bold]{escape(execution.name)}[/]  {execution.status} in {execution.seconds:.1f} s")
    _grow(tree, path)
    return tree


def _grow(tree: Tree, path: Path) -> None:
    for step in path.steps:
        node = tree.add(f"[bold]{escape(step.name)}[/]  [dim]{step.kind}[/]{escape(_detail(step))}")
        for line in _trouble(step):
            node.add(line)
        for number, branch in enumerate(step.branches, 1):
            _grow(node.add(f"[cyan]{escape(_label(branch, number))}[/]"), branch)


def _detail(step: Step) -> str:
    if step.attempts and not step.attempts[-1].error:
        last = step.attempts[-1]
        return f", {last.activity}, {last.seconds * 1000:.0f} ms"
    if step.kind == "Choice" and step.following:
        return f", on to {step.following.name}"
    if step.branches:
        return f", {len(step.branches)} {'branches' if step.kind == 'Parallel' else 'items'}"
    return ""


def _trouble(step: Step) -> list[str]:
    lines = []
    for attempt, after in zip_longest(step.attempts, step.attempts[1:]):
        if not attempt.error:
            continue
        lines.append(f"{attempt.activity} [red]failed[/]: {escape(attempt.error)}, {escape(attempt.message)}")
        if after and attempt.ended:
            lines.append(f"[yellow]retried[/] after {(after.started - attempt.ended).total_seconds():.1f} s")
    if step.caught and step.following:
        lines.append(f"[yellow]caught[/], on to {escape(step.following.name)}")
    return lines


def _label(branch: Path, number: int) -> str:
    """A branch's number; for an iteration of a Map what it works on: its input's name, if it has one."""
    if branch.of and branch.of.kind == "Parallel":
        return f"branch {number}"
    given = branch.steps[0].input if branch.steps else None
    return str(given["name"]) if isinstance(given, dict) and "name" in given else f"item {number}"
