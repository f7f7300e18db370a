"""A state machine as SVG, drawn by Python alone."""

from workers.machines.graph.chart import Chart
from workers.machines.graph.layout import MARGIN, lay_out
from workers.machines.graph.pen import Pen, n, xml
from workers.machines.graph.seen import Seen

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; text-anchor: middle; }
.kind, .label { font-size: 11px; fill: #57606a; }
.behind { fill: #ffffff; opacity: 0.85; }
.name { font-weight: 600; }
.box { fill: #ffffff; stroke: #57606a; stroke-width: 1.3; }
.group { fill: #f6f8fa; }
.divider { stroke: #d0d7de; stroke-dasharray: 3 3; }
.dot { fill: #57606a; }
.way { fill: none; stroke: #8c959f; stroke-width: 1.3; marker-end: url(#arrow); }
.catch { stroke-dasharray: 5 4; }
.taken { stroke: #24292f; stroke-width: 2.4; }
.missed { opacity: 0.45; }
.succeeded { fill: #dcf5e3; stroke: #1a7f37; }
.failed { fill: #ffe0de; stroke: #cf222e; }
.caught { fill: #fff1cc; stroke: #bf8700; }
.running { fill: #ddf4ff; stroke: #0969da; }
.aborted { fill: #eceef0; stroke: #57606a; }
.not-taken { stroke: #afb8c1; stroke-dasharray: 4 3; }
"""
_ARROW = """<defs>
<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"
 markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker>
</defs>"""


def svg(chart: Chart, seen: Seen | None = None, *, title: str = "state machine") -> str:
    """The picture of a machine; with `seen`, coloured by what an execution did.

    `title` is what screen readers and browsers call it.
    """
    layout = lay_out(chart, seen or Seen())
    width, height = (n(side + 2 * MARGIN) for side in layout.placed.size)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    inside = Pen(seen).chart(layout, (MARGIN, MARGIN))
    return "\n".join([opening, f"<title>{xml(title)}</title>", f"<style>{_STYLE}</style>", _ARROW, *inside, "</svg>\n"])
