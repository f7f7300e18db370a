"""Frames: where a line of states stands, so that it can go on from there after a restart or a redrive.

The execution has a frame, and so has each branch of a Parallel and each iteration of an inline Map. Whenever a line of
states waits for something, its frame says all that is needed to go on.
"""

import json
from typing import Any

from workers.local.documents import Document, parsed

Progress = dict[str, Any]


class Frame:
    """The place of one line of states. Changed in place; whoever changes it saves it."""

    __slots__ = (
        "before",
        "children",
        "counts",
        "entered",
        "entered_at",
        "index",
        "input",
        "item",
        "last",
        "number",
        "outcome",
        "own",
        "parent",
        "progress",
        "state",
    )

    def __init__(self, number: int, parent: int | None, index: int, state: str, data: Document, last: int) -> None:
        self.number = number
        self.parent = parent
        self.index = index
        """Of the branch or iteration among its siblings."""
        self.state = state
        self.input = data
        """Of the state."""
        self.item: Any = None
        """`$$.Map` in an iteration."""
        self.own: dict[str, Any] = {}
        """The variables assigned in this line of states; it also sees those around it."""
        self.last = last
        """Id of the event that the next one follows."""
        self.before = last
        """Id of the event before the state's entry."""
        self.entered = 0
        """Id of the event of the state's entry; 0 before it."""
        self.entered_at = 0.0
        self.counts: list[int] = []
        """How often each retrier of the state was used."""
        self.progress: Progress | None = None
        """How far the state is, in a form of its own; plain JSON."""
        self.children: dict[int, Frame] = {}
        """By index. Only while the state runs, and after it has failed."""
        self.outcome: Outcome | None = None

    def move(self, state: str, data: Document) -> None:
        """To the beginning of another state."""
        self.state = state
        self.input = data
        self.entered = 0
        self.counts = []
        self.progress = None
        self.children = {}

    def dump(self) -> str:
        """The frame as JSON text, without its children."""
        return json.dumps(
            [
                self.number,
                self.parent,
                self.index,
                self.state,
                self.input.text,
                self.item,
                self.own,
                [self.last, self.before, self.entered, self.entered_at],
                self.counts,
                self.progress,
                self.outcome.dump() if self.outcome else None,
            ]
        )


class Outcome:
    """How a line of states ended: with an output, or with an error."""

    __slots__ = ("cause", "error", "missed_heartbeat", "output")

    def __init__(
        self,
        output: Document | None,
        error: str | None = None,
        cause: str | None = None,
        *,
        missed_heartbeat: bool = False,
    ) -> None:
        self.output = output
        self.error = error
        self.cause = cause
        self.missed_heartbeat = missed_heartbeat
        """Whether it may be caught as States.HeartbeatTimeout."""

    @property
    def succeeded(self) -> bool:
        return self.output is not None

    def dump(self) -> list[str | bool | None]:
        return [self.output.text if self.output else None, self.error, self.cause, self.missed_heartbeat]


def load(text: str) -> Frame:
    """The frame that `dump` wrote."""
    number, parent, index, state, data, item, own, (last, before, entered, at), counts, progress, ended = json.loads(
        text
    )
    frame = Frame(number, parent, index, state, parsed(data), last)
    frame.item, frame.own, frame.counts, frame.progress = item, own, counts, progress
    frame.before, frame.entered, frame.entered_at = before, entered, at
    if ended:
        output, error, cause, *more = ended
        missed = bool(more and more[0])  # an older engine has not stored it
        frame.outcome = Outcome(parsed(output) if output is not None else None, error, cause, missed_heartbeat=missed)
    return frame
