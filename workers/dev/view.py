"""What the loop shows: states as they pass, results, what has changed since the last one, errors."""

import difflib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from workers.dev.round import Result
from workers.executions.execution import Execution
from workers.histories.progress import Progress, StateProgress
from workers.histories.visits import Outcome

_MARKS = {
    Outcome.RUNNING: ("▸", "cyan"),
    Outcome.SUCCEEDED: ("✓", "green"),
    Outcome.CAUGHT: ("↷", "yellow"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.ABORTED: ("■", "dim"),
}
_MOST_LINES = 60
"""Lines of an output that are shown; all of them are compared."""


class View:
    """Lines on a console, one after the other: what handlers print stands among them."""

    def __init__(self, console: Console) -> None:
        self.page: str | None = None
        """The URL of the web page, where one is served."""
        self._console = console
        self._shown: dict[str, tuple[Any, ...]] = {}
        self._before: dict[str, list[str]] = {}

    def say(self, text: str, style: str = "") -> None:
        """A line."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def begin(self, why: str) -> None:
        """A round begins."""
        self._console.rule(Text(f"{datetime.now().astimezone():%H:%M:%S}  {why}", style="bold"), align="left")

    def machine(self, name: str, *, several: bool) -> None:
        """An execution begins."""
        self._shown.clear()
        if several:
            self.say(name, "bold")

    def states(self, progress: Progress) -> None:
        """The states that have passed since the last call; those inside of a Map or a Parallel with it."""
        inside: list[StateProgress] = []
        for state in reversed(progress.states.values()):
            if state.depth:
                inside.insert(0, state)
                continue
            self._state(state, inside)
            inside = []

    def _state(self, state: StateProgress, inside: Sequence[StateProgress]) -> None:
        seen = (state.outcome, len(state.visits), state.retries)
        if self._shown.get(state.state) == seen:
            return
        self._shown[state.state] = seen
        for one in (state, *(inside if state.outcome is not Outcome.RUNNING else ())):
            self._console.print(_line(one), soft_wrap=True)

    def result(self, result: Result, *, since: float) -> None:
        """How a round ended, `since` seconds after it was asked for."""
        execution = result.execution
        took = f"in {execution.seconds or 0:.2f} s, {since:.2f} s after it was asked for"
        if execution.succeeded:
            self.say(f"{execution.status} {took}", "bold green")
        else:
            where = f" in state {execution.failed_state}" if execution.failed_state else ""
            self.say(f"{execution.status}{where} {took}", "bold red")
        lines = _lines(execution)
        for line in lines[:_MOST_LINES]:
            self.say(line, "" if execution.succeeded else "red")
        if len(lines) > _MOST_LINES:
            self.say(f"… and {len(lines) - _MOST_LINES} more lines", "dim")
        self._difference(result.machine.name, lines)
        if self.page:
            self.say(f"{self.page}/executions/{execution.arn}", "dim")

    def _difference(self, machine: str, lines: list[str]) -> None:
        before, self._before[machine] = self._before.get(machine), lines
        if before is None:
            return
        if before == lines:
            self.say("the same result as before", "dim")
            return
        self.say("what has changed:", "dim")
        for line in list(difflib.unified_diff(before, lines, lineterm="", n=2))[2 : _MOST_LINES + 2]:
            self.say(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim"))

    def error(self, text: str) -> None:
        """What kept a round from its end: perhaps the user's own traceback."""
        self.say(text, "red")


def _line(state: StateProgress) -> Text:
    sign, style = _MARKS[state.outcome]
    text = Text(f"  {'  ' * state.depth}").append(sign, style=style).append(f" {state.state}")
    text.append(f"  {state.type.lower()}", style="dim")
    if state.outcome is not Outcome.RUNNING:
        text.append(f"  {state.seconds(datetime.now(UTC)):.2f} s", style="dim")
    if len(state.visits) > 1:
        text.append(f"  {len(state.visits)} times", style="dim")
    if state.retries:
        text.append(f"  {state.retries} {'retry' if state.retries == 1 else 'retries'}", style="yellow")
    if state.error:
        text.append(f"  {state.error}", style=style)
    return text


def _lines(execution: Execution) -> list[str]:
    """The output; or the error with the user's own traceback."""
    if execution.succeeded:
        return json.dumps(execution.output, indent=2, ensure_ascii=False).splitlines()
    cause = execution.cause
    if isinstance(cause, dict) and isinstance(trace := cause.get("stackTrace"), list) and trace:
        return [str(line) for line in trace]
    return [": ".join(filter(None, (execution.error, execution.message))) or "no error is known"]
