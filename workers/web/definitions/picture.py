"""The picture of a machine in a page, which takes its colours from the page's style."""

from xml.sax.saxutils import quoteattr

from markupsafe import Markup

from workers.machines.graph.chart import Chart
from workers.machines.graph.layout import MARGIN, lay_out
from workers.machines.graph.pen import Pen, clean, n
from workers.machines.graph.seen import Seen

_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" '
    'markerUnits="userSpaceOnUse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def picture(chart: Chart, *, title: str) -> Markup:
    """The picture as SVG: markup in which names, and all else that is not ours, are escaped."""
    layout = lay_out(chart, Seen())
    width, height = (n(side + 2 * MARGIN) for side in layout.placed.size)
    opening = (
        f'<svg class="plain" role="img" aria-label={quoteattr(clean(title))} '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    elements = Pen(None).chart(layout, (MARGIN, MARGIN))
    return Markup("\n".join([opening, _ARROW, *elements, "</svg>"]))  # noqa: S704 - the pen escapes
