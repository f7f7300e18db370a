"""What is known about a key: the tasks that wait for it, and how they are finished. No input, no output: only steps.

Each step takes the entries of a key and gives those that are to be saved, with what has to be done then. Steps are
repeated when another process has saved in between, and messages and calls come more than once: every step may be
taken again without harm.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """What has become of a finish."""

    DELIVERED = "delivered"
    """Step Functions has it."""
    KEPT = "kept"
    """No task waits for it yet; it is delivered as soon as one does."""
    ALREADY_FINISHED = "already_finished"
    """The key was finished before; the first finish counts."""
    CLOSED = "closed"
    """The task no longer waits: it timed out, or its execution has ended. A retry of the task would still get it."""


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How a task is to end."""

    at: float
    """When it was finished (seconds of the epoch)."""
    output: str | None = None
    """The result, as JSON text; None of a failure."""
    error: str = ""
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A task that waits for the key, or has, or will."""

    execution: str | None = None
    """ARN of its execution, or the name under which it was finished early; None: whichever comes first."""
    token: str | None = None
    """None before it has come, and after Step Functions has closed it."""
    entered: str = ""
    """When the state was entered that waits: what is retried was entered once."""
    sent: int = 0
    """When its message was sent (milliseconds of the epoch): of two in one execution the later counts."""
    finish: Finish | None = None
    """How it is to end; forgotten when that is done."""
    done: bool = False

    @property
    def early(self) -> bool:
        """Whether it was finished before any token had come."""
        return self.sent == 0

    def outlives(self, entered: str) -> bool:
        """Whether its finish is for the next task, too, of the state that was entered then.

        A success that came too late for one attempt is a success for the next. A failure may have been what brought
        the next one about, and another visit of the state is other work.
        """
        late = self.entered == entered and self.finish is not None and self.finish.output is not None
        return not self.done and (self.early or late)

    @property
    def waits(self) -> bool:
        """Whether a task waits, of which nobody has said how it ends."""
        return self.token is not None and self.finish is None and not self.done

    @property
    def undelivered(self) -> bool:
        """Whether a task waits that is to be told."""
        return self.token is not None and self.finish is not None and not self.done


Entries = tuple[Entry, ...]


class Todo(StrEnum):
    """What is to be done after a step."""

    NOTHING = "nothing"
    DELIVER = "deliver"
    """Tell Step Functions the finish of the entry."""
    REFUSE = "refuse"
    """Fail the new task: its key belongs to another execution."""
    CHOOSE = "choose"
    """Several executions wait for the key."""


@dataclass(frozen=True, slots=True)
class Step:
    """The entries after a step, and what is to be done once they are saved."""

    entries: Entries
    todo: Todo = Todo.NOTHING
    entry: Entry | None = None
    """The entry it is about; None where there is none."""


def arrive(entries: Entries, *, token: str, execution: str, entered: str, sent: int, apart: bool) -> Step:
    """A task waits: its token has come. `apart`: executions may have the same key at the same time."""
    own = next((entry for entry in entries if _same(entry.execution, execution)), None)
    if own and (own.token == token or sent < own.sent):
        return Step(entries, Todo.DELIVER if own.undelivered and own.token == token else Todo.NOTHING, own)
    if not apart and any(entry.token and not entry.done for entry in entries if entry is not own):
        return Step(entries, Todo.REFUSE)
    own = own or next((entry for entry in entries if entry.execution is None), None)
    kept = own.finish if own and own.outlives(entered) else None
    new = Entry(execution=execution, token=token, entered=entered, sent=sent, finish=kept)
    others = tuple(entry for entry in entries if entry is not own and (apart or entry.early))
    return Step((*others, new), Todo.DELIVER if kept else Todo.NOTHING, new)


def finish(entries: Entries, how: Finish, execution: str | None) -> Step:
    """The key is finished, or that of one execution alone. The first finish counts: a later one has no entry."""
    named = [entry for entry in entries if execution is None or _same(entry.execution, execution)]
    waiting = [entry for entry in named if entry.waits]
    if len(waiting) > 1:
        return Step(entries, Todo.CHOOSE)
    closed = [entry for entry in named if entry.finish is None and not entry.done]
    for target in (*waiting, *closed):
        told = replace(target, finish=how)
        return Step(_put(entries, target, told), Todo.DELIVER if target.waits else Todo.NOTHING, told)
    if named:
        return Step(entries)
    return Step((*entries, early := Entry(execution=execution, finish=how)), entry=early)


def settle(entries: Entries, *, token: str, accepted: bool) -> Step:
    """Step Functions was told: it has `accepted` the finish, or closed the token."""
    told = next((entry for entry in entries if entry.token == token), None)
    if told is None or told.done:
        return Step(entries)
    failed = told.finish is not None and told.finish.output is None
    after = replace(told, token=None, finish=None if failed else told.finish)
    if accepted:
        after = replace(told, finish=None, done=True)
    return Step(_put(entries, told, after), entry=after)


def find_waiting(entries: Entries, execution: str | None) -> Step:
    """The task that waits for the key."""
    waiting = [entry for entry in entries if entry.waits and (execution is None or _same(entry.execution, execution))]
    return Step(entries, Todo.CHOOSE if len(waiting) > 1 else Todo.NOTHING, waiting[0] if waiting else None)


def dump(entries: Entries) -> str:
    """The entries as JSON text."""
    return json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> Entries:
    """The entries in such a text."""
    return tuple(
        Entry(**{**fields, "finish": Finish(**fields["finish"]) if fields["finish"] else None})
        for fields in json.loads(text)
    )


def _put(entries: Sequence[Entry], old: Entry, new: Entry) -> Entries:
    return tuple(new if entry is old else entry for entry in entries)


def _same(known: str | None, given: str) -> bool:
    """Whether both are the same execution, of which either may be given by its name alone."""
    if known is None or known == given:
        return known == given
    names = [one.rpartition(":")[2] for one in (known, given)]
    return names[0] == names[1] and not (known.startswith("arn:") and given.startswith("arn:"))
