"""A state machine as Mermaid text, which code forges and many editors draw."""

from collections.abc import Iterator

from workers.histories.visits import Outcome
from workers.machines.graph.chart import Box, Chart, Kind, Way
from workers.machines.graph.seen import NOT_TAKEN, Seen

_STYLES = {
    Outcome.SUCCEEDED: "fill:#dcf5e3,stroke:#1a7f37,color:#0b3d1a",
    Outcome.FAILED: "fill:#ffe0de,stroke:#cf222e,color:#5c0d12",
    Outcome.CAUGHT: "fill:#fff1cc,stroke:#bf8700,color:#4d3800",
    Outcome.RUNNING: "fill:#ddf4ff,stroke:#0969da,color:#0a3069",
    Outcome.ABORTED: "fill:#eceef0,stroke:#57606a,color:#24292f",
    NOT_TAKEN: "fill:#ffffff,stroke:#afb8c1,color:#8c959f,stroke-dasharray:4 3",
}
_SHAPES = {"Choice": ("{{", "}}"), "Succeed": ("([", "])"), "Fail": ("([", "])")}
_LONGEST_LABEL = 60
_HARMLESS = " -_.:/$%=,'…"


def mermaid(chart: Chart, seen: Seen | None = None) -> str:
    """The flowchart of a machine; with `seen`, coloured by what an execution did."""
    writer = _Writer(seen)
    lines = ["flowchart TD", *writer.chart(chart, "  ")]
    if seen:
        lines += [f"  classDef {_class(word)} {style}" for word, style in _STYLES.items()]
        lines += [f"  class {number} {_class(seen.word(name))}" for name, number in writer.numbers.items()]
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, seen: Seen | None) -> None:
        self._seen = seen
        self._branches = 0
        self.numbers: dict[str, str] = {}
        """The ids of the states: names may hold what Mermaid takes for its own."""

    def chart(self, chart: Chart, indent: str) -> Iterator[str]:
        self._branches += 1
        start, stop = f"start{self._branches}", f"stop{self._branches}"
        yield f"{indent}{start}(( ))"
        for box in chart.boxes.values():
            self.numbers[box.name] = f"s{len(self.numbers) + 1}"
            yield from self._box(box, indent)
        yield f"{indent}{start} --> {self.numbers[chart.start]}"
        for way in chart.ways:
            yield f"{indent}{self._way(way)}"
        closing = [box.name for box in chart.boxes.values() if box.ends]
        if closing:
            yield f"{indent}{stop}((( )))"
        for name in closing:
            yield f"{indent}{self.numbers[name]} --> {stop}"

    def _box(self, box: Box, indent: str) -> Iterator[str]:
        number, text = self.numbers[box.name], self._text(box)
        if not box.branches:
            opening, closing = _SHAPES.get(box.type, ("[", "]"))
            yield f'{indent}{number}{opening}"{text}"{closing}'
            return
        yield f'{indent}subgraph {number} ["{text}"]'
        for index, branch in enumerate(box.branches):
            if len(box.branches) > 1:
                yield f'{indent}  subgraph {number}b{index} [" "]'
            yield from self.chart(branch, indent + "    ")
            if len(box.branches) > 1:
                yield f"{indent}  end"
        yield f"{indent}end"

    def _text(self, box: Box) -> str:
        note = self._seen.note(box.name) if self._seen else ""
        kind = f"{box.type.lower()} {box.detail}".strip()
        return "<br>".join([f"<b>{_escaped(box.name)}</b>", *map(_escaped, filter(None, [kind, note]))])

    def _way(self, way: Way) -> str:
        arrow = "-.->" if way.kind is Kind.CATCH else "-->"
        if self._seen and (way.source, way.target) in self._seen.taken:
            arrow = "==>"
        label = f'|"{_escaped(_cut(way.label))}"|' if way.label else ""
        return f"{self.numbers[way.source]} {arrow}{label} {self.numbers[way.target]}"


def _class(word: str) -> str:
    return word.replace(" ", "_")


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _escaped(text: str) -> str:
    """`text` with what Mermaid or HTML would take for markup as character codes."""
    return "".join(sign if sign.isalnum() or sign in _HARMLESS else f"#{ord(sign)};" for sign in text)
