"""The states of an execution on a terminal, as they run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from workers.cli.output import duration
from workers.histories.progress import Progress, StateProgress
from workers.histories.visits import Outcome

_MARKS = {
    Outcome.SUCCEEDED: ("✓", "green"),
    Outcome.CAUGHT: ("↷", "yellow"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ABORTED: ("■", "dim"),
}


@contextmanager
def watched(*, wanted: bool = True) -> Iterator[Callable[[Progress], None] | None]:
    """What takes the progress of an execution and draws it: on stderr, so that stdout can go elsewhere.

    None where it is not `wanted`, or where stderr is no terminal.
    """
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield None
        return
    view = _View()
    with Live(view, console=console, refresh_per_second=8):
        yield view.take


class _View:
    """What rich draws again and again: the durations and the spinners move while nothing else happens."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._spinner = Spinner("dots", style="cyan")

    def take(self, progress: Progress) -> None:
        self._progress = progress

    def __rich__(self) -> Table:
        now = datetime.now(UTC)
        table = Table.grid(padding=(0, 2))
        for state in self._progress.states.values():
            table.add_row(self._mark(state), self._name(state), _times(state), duration(state.seconds(now)))
        if not self._progress.states:
            table.add_row(self._spinner, Text("starts", style="dim"))
        return table

    def _mark(self, state: StateProgress) -> Spinner | Text:
        if state.outcome is Outcome.RUNNING:
            return self._spinner
        sign, style = _MARKS[state.outcome]
        return Text(sign, style=style)

    def _name(self, state: StateProgress) -> Text:
        text = Text("  " * state.depth + state.state)
        text.append(f"  {state.type.lower()}", style="dim")
        return text


def _times(state: StateProgress) -> Text:
    """How often, how many of those run, what was retried, and what it failed with."""
    parts = []
    if len(state.visits) > 1:
        running = f", {state.running} running" if state.running else ""
        parts.append(f"{len(state.visits)} times{running}")
    if state.retries:
        parts.append(f"{state.retries} {'retry' if state.retries == 1 else 'retries'}")
    text = Text("  ".join(parts), style="dim")
    if state.error:
        text.append(
            f"{'  ' if parts else ''}{state.error}", style="red" if state.outcome is Outcome.FAILED else "yellow"
        )
    return text
