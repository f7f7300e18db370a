"""Numbers of a benchmark as tables in Markdown and as a plot, and their way into the documentation."""

import shutil
from importlib.util import find_spec
from typing import Any

from harness import BUILD, HERE

BASE = "aiobotocore, plain"
DOCS = HERE.parent / "docs"
Row = dict[str, Any]


def write_tables(results: dict[str, Any], name: str) -> None:
    """Prints the tables, and writes them and the plot to build/bench."""
    text = f"{results['machine']}.\n\n" + "\n".join(_tables(results["rows"])) + "\n" + _others(results["others"])
    (BUILD / f"{name}.md").write_text(text)
    print(text)
    if find_spec("matplotlib"):
        _plot(results["rows"], results["machine"], BUILD / f"{name}.png")


def publish(name: str) -> None:
    """Puts the tables between their marks on the page about performance, and the plot beside the other images."""
    page, begin, end = DOCS / "explanation" / "performance.md", f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    text = page.read_text()
    head, _, rest = text.partition(begin)
    page.write_text(head + begin + "\n" + (BUILD / f"{name}.md").read_text() + "\n" + end + rest.partition(end)[2])
    if name == "bench" and (plot := BUILD / "bench.png").exists():
        shutil.copy(plot, DOCS / "images" / "performance.png")


def _groups(rows: list[Row]) -> dict[tuple[int, float], list[Row]]:
    groups: dict[tuple[int, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["pollers"], row["delay_ms"]), []).append(row)
    return groups


def _tables(rows: list[Row]) -> list[str]:
    tables = []
    for (pollers, delay), group in _groups(rows).items():
        base = next(row for row in group if row["client"] == BASE)
        lines = [
            f"**{pollers} pollers, {delay:g} ms a call**\n",
            "| client | tasks/s | to plain | CPU ms a task | to plain | p50 ms | p99 ms | memory MB |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {row['client']} | {row['rate']:,.0f} | {row['rate'] / base['rate']:.2f} | {row['cpu_ms']:.3f} "
            f"| {row['cpu_ms'] / base['cpu_ms']:.2f} | {row['p50_ms']:.1f} | {row['p99_ms']:.1f} "
            f"| {row['memory_mb']:.0f} |"
            for row in group
        ]
        tables.append("\n".join(lines) + "\n" + _own_cost({row["client"]: row for row in group}))
    return tables


def _own_cost(group: dict[str, Row]) -> str:
    if "bare fast client" not in group:
        return ""
    own = (group["worker"]["cpu_ms"] - group["bare fast client"]["cpu_ms"]) * 1000
    over = group["worker, stock client"]["cpu_ms"] / group["aiobotocore, same settings"]["cpu_ms"]
    return (
        f"\nThe worker over its bare client: {own:.0f} microseconds of CPU a task; "
        f"on the stock client, over the loop with the same settings: {over:.2f} times.\n"
    )


def _others(rows: list[Row]) -> str:
    def shown(key: str, value: float) -> str:
        return {
            "number": f"{value:,.0f}",
            "core": f"{value:.1%} of a core",
            "beats_s": f"{value:,.0f} beats/s",
            "late_p99_ms": f"99 % less than {value:.1f} ms late",
            "mb_above_one": f"{value:.1f} MB above one poll",
            "kb_each": f"{value:.1f} KB each",
            "seconds": f"{value:.2f} s",
        }[key]

    lines = [
        f"| {row['what']} | {', '.join(shown(key, value) for key, value in row.items() if key != 'what')} |"
        for row in rows
    ]
    return "\n".join(["| what | measured |", "|---|---|", *lines]) + "\n"


def _plot(rows: list[Row], machine: str, file: Any) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    groups = {key: group for key, group in _groups(rows).items() if key[0] in {8, 64} and not key[1]}
    figure, panes = plt.subplots(1, len(groups), figsize=(9, 3.2), sharey=True, squeeze=False)
    for pane, ((pollers, _), group) in zip(panes[0], groups.items(), strict=True):
        shown = [row for row in group if row["client"] != "bare fast client"][::-1]
        colors = ["#2a6fb0" if row["client"].startswith("worker") else "#b8b8b8" for row in shown]
        bars = pane.barh([row["client"] for row in shown], [row["rate"] for row in shown], color=colors)
        pane.bar_label(bars, labels=[f"{row['rate']:,.0f}" for row in shown], padding=3, fontsize=8)
        pane.set_title(f"tasks/s on one core, {pollers} pollers", fontsize=9)
        pane.margins(x=0.18)
        pane.spines[["top", "right"]].set_visible(False)
        pane.tick_params(labelsize=8)
    figure.text(0.01, 0.01, machine.partition(", Linux")[0], fontsize=6, color="#666666")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(file, dpi=130)
