"""Numbers of a benchmark as tables in Markdown and as a plot, and their way into the documentation."""

import shutil
from importlib.util import find_spec
from typing import Any

from harness import BUILD, HERE

DOCS = HERE.parent / "docs"
Row = dict[str, Any]


def write_tables(results: dict[str, Any], name: str) -> None:
    """Prints the tables, and writes them and the plot to build/bench."""
    tables = "\n".join(_tables(results["rows"], results["costs"]))
    text = f"{results['machine']}.\n\n{tables}\n{_others(results['others'])}"
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


def _tables(rows: list[Row], costs: list[Row]) -> list[str]:
    tables = []
    for (pollers, delay), group in _groups(rows).items():
        lines = [
            f"**{pollers} {'poller' if pollers == 1 else 'pollers'}, {delay:g} ms a call**\n",
            "| client | tasks/s | to plain | CPU s for 1,000 tasks | to plain | p50 ms | p99 ms | peak memory MB |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {row['client']} | {row['rate']:,.0f} | {row['rate_to_plain']:.2f} | {row['cpu_ms']:.3f} "
            f"| {row['cpu_to_plain']:.2f} | {row['p50_ms']:.1f} | {row['p99_ms']:.1f} | {row['memory_mb']:.0f} |"
            for row in group
        ]
        lines += [
            f"\nThe worker over its bare client: {cost['own_us']:.0f} microseconds of CPU a task; "
            f"on the stock client, over the loop with the same settings: {cost['stock_times']:.2f} times."
            for cost in costs
            if (cost["pollers"], cost["delay_ms"]) == (pollers, delay)
        ]
        tables.append("\n".join(lines) + "\n")
    return tables


def _others(rows: list[Row]) -> str:
    forms = {
        "number": "{:,.0f}",
        "core": "{:.1%} of a core",
        "beats_s": "{:,.0f} beats/s",
        "late_p99_ms": "99 % less than {:.1f} ms late",
        "mb_above_one": "{:.1f} MB above one poll",
        "kb_each": "{:.1f} KB each",
        "seconds": "{:.2f} s",
        "shown": "{}",
    }
    lines = [
        f"| {row['what']} | {', '.join(forms[key].format(value) for key, value in row.items() if key != 'what')} |"
        for row in rows
    ]
    return "\n".join(["| what | measured |", "|---|---|", *lines]) + "\n"


def _plot(rows: list[Row], machine: str, file: Any) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    groups = {key: group for key, group in _groups(rows).items() if not key[1]}
    figure, panes = plt.subplots(1, len(groups), figsize=(5 + 2 * len(groups), 3.2), sharey=True, squeeze=False)
    for pane, ((pollers, _), group) in zip(panes[0], groups.items(), strict=True):
        shown = [row for row in group if row["client"] != "bare fast client"][::-1]
        colors = ["#2a6fb0" if row["client"].startswith("worker") else "#b8b8b8" for row in shown]
        bars = pane.barh([row["client"] for row in shown], [row["rate"] for row in shown], color=colors)
        pane.bar_label(bars, labels=[f"{row['rate']:,.0f}" for row in shown], padding=3, fontsize=8)
        pane.set_title(f"tasks/s, {pollers} {'poller' if pollers == 1 else 'pollers'}", fontsize=9)
        pane.margins(x=0.3)
        pane.spines[["top", "right"]].set_visible(False)
        pane.tick_params(labelsize=8)
    figure.text(0.01, 0.01, machine.partition(", Linux")[0], fontsize=6, color="#666666")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(file, dpi=130)
