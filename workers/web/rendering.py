"""Templates: one environment that escapes everything, and what templates may call."""

import json
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from workers.durations import in_words
from workers.web.source import Source

_BRIEF = 160
"""Characters of a text that stands in a row of a table."""


def environment() -> Environment:
    """The environment of all templates: `workers/web/templates`. Whatever a template prints is escaped."""
    made = Environment(
        loader=PackageLoader("workers.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {filter_.__name__: filter_ for filter_ in (moment, iso, duration, pretty, number, brief)}
    made.globals |= {"path": _path}
    return made


def render(request: Request, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `template`, for which the pages' own names are known: `request`, `source` and `path(name, …)`."""
    source: Source = request.app.state.source
    templates: Environment = request.app.state.templates
    text = templates.get_template(template).render(request=request, source=source, **values)
    return HTMLResponse(text.encode(errors="replace"), status_code=status)


def path(request: Request, name: str, /, **parameters: Any) -> str:
    """The path of the route `name`, wherever the pages are mounted; percent-encoded."""
    routes: dict[str, Route | Mount] = request.app.state.routes
    return f"{request.scope.get('root_path', '').rstrip('/')}{routes[name].url_path_for(name, **parameters)}"


@pass_context
def _path(context: Context, name: str, /, **parameters: Any) -> str:
    return path(context["request"], name, **parameters)


def moment(time: datetime | None) -> str:
    """A time as a browser without scripts shows it; with them, `<time>` elements show the local one."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if time else "—"


def iso(time: datetime | None) -> str:
    """A time for `<time datetime=…>`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds") if time else ""


def duration(seconds: float | None) -> str:
    """A duration for people, such as `3 min 5 s`."""
    return "—" if seconds is None else in_words(seconds)


def pretty(value: Any) -> str:
    """A JSON value over several lines; a text that is no JSON stays as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def number(value: float) -> str:
    """`25,000`."""
    return f"{value:,}"


def brief(text: str) -> str:
    """The first line of a text that says something, cut where it is long; of a cause of ours, its error and message."""
    try:
        cause, end = json.JSONDecoder().raw_decode(text)
        text = f"{text[end:].strip() or cause['errorType']}: {cause['errorMessage']}"
    except (ValueError, TypeError, KeyError, RecursionError):
        pass  # it is no such cause
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _BRIEF else f"{line[:_BRIEF]}…"
