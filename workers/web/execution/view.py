"""What the address of a page asks for: all that one has chosen to see stands in it, and can be sent to others."""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

TABS = ("timeline", "events", "items", "data", "definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view of an execution."""

    tab: str = "timeline"
    state: str | None = None
    """The name of the state whose step is shown."""
    visit: int | None = None
    """The id of the event that began the visit that is shown; by default the one that says most."""
    fold: frozenset[str] = frozenset()
    """States whose inside is shown though it is hidden by default, or the other way round."""
    start: int = 0
    """The first row of the table in the tab."""
    whole: bool = False
    """Whether long inputs and outputs are shown from end to end."""
    parts: frozenset[str] = frozenset()
    """What of the page a script asks for; empty for all of it."""

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """The view that an address asks for; what makes no sense counts as not said."""
        tab = query.get("tab")
        return cls(
            tab=tab if tab in TABS else TABS[0],
            state=query.get("state"),
            visit=_number(query.get("visit")),
            fold=frozenset(query.getlist("fold")),
            start=_number(query.get("start")) or 0,
            whole="whole" in query,
            parts=frozenset(query.getlist("part")),
        )

    def wants(self, part: str) -> bool:
        """Whether that part of the page is to be written."""
        return not self.parts or part in self.parts

    def link(self, **changes: Any) -> str:
        """The relative address of this view with `changes`."""
        other = replace(self, **{"parts": frozenset(), "whole": False, **changes})
        pairs = [("tab", other.tab)] if other.tab != TABS[0] else []
        pairs += [("state", other.state)] if other.state is not None else []
        pairs += [("visit", str(other.visit))] if other.visit is not None else []
        pairs += [("fold", name) for name in sorted(other.fold)]
        pairs += [("start", str(other.start))] if other.start else []
        pairs += [("whole", "yes")] if other.whole else []
        return f"?{urlencode(pairs, errors='replace')}"

    def toggled(self, state: str) -> str:
        """The address of the view in which the inside of `state` is shown, or is not."""
        return self.link(fold=self.fold ^ {state})


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
