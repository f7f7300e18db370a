"""An exception becomes what SendTaskFailure takes: an error name and a cause."""

import json
import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.errors import CAUSE_LIMIT, NAME_LIMIT, ActivityError, ErrorName

_OURS = tuple(str(Path(__file__).parent.parent / package) + os.sep for package in ("workers", "interceptors"))
_CUT = "… (cut)"
_LINE_LIMIT = 500
"""Characters of a line in a stack trace: the message alone, which stands there too, could fill it all."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What Step Functions is told about a task that failed."""

    error: str
    """At most 256 characters; what `ErrorEquals` matches."""
    cause: str = field(repr=False)
    """At most 32,768 bytes of UTF-8: JSON with `errorType`, `errorMessage` and `stackTrace`, or the user's own."""


def failure(error: BaseException) -> Failure:
    """The failure that stands for `error`.

    The name is the exception's `error_name` where that is text, or else its class name. The cause is that of an
    `ActivityError`, or else the exception's type, message and stack trace, whose middle is cut where it is too long.
    """
    own = getattr(error, "cause", None) if isinstance(error, ActivityError) else None
    return Failure(_name(error), _described(error) if own is None else _cut(_text(own), CAUSE_LIMIT))


def refusal(name: ErrorName, message: str) -> Failure:
    """A failure that the framework itself reports: no stack trace, for none would help."""
    return Failure(name, _cause(name, message, []))


def is_ours(frame: traceback.FrameSummary) -> bool:
    """Whether a line of a stack trace is this project's own code."""
    return frame.filename.startswith(_OURS)


def _name(error: BaseException) -> str:
    try:
        own = getattr(error, "error_name", None)
    except Exception:  # noqa: BLE001 - a property that fails must not lose the task
        own = None
    return _sendable(own if isinstance(own, str) and own else type(error).__name__)[:NAME_LIMIT]


def _described(error: BaseException) -> str:
    description = traceback.TracebackException.from_exception(error)
    _forget_our_frames(description)
    lines = [line.rstrip("\n") for part in description.format() for line in part.splitlines()]
    return _cause(type(error).__name__, _shown(error, "its message"), lines)


def _shown(value: object, what: str) -> str:
    try:
        return str(value)
    except Exception as broken:  # noqa: BLE001 - a `__str__` that fails must not lose the task
        return f"({what} cannot be shown: {type(broken).__name__})"


def _forget_our_frames(description: traceback.TracebackException) -> None:
    """Leaves out the frames above the handler: the reader looks for their own code."""
    pending = [description]
    while pending:
        seen = pending.pop()
        theirs = [frame for frame in seen.stack if not is_ours(frame)]
        if theirs:
            seen.stack = traceback.StackSummary.from_list(theirs)
        pending += filter(None, (seen.__cause__, seen.__context__, *(seen.exceptions or ())))


def _cause(kind: str, message: str, trace: list[str]) -> str:
    """The cause as JSON that stays whole: the trace gives way first, until it fills half; the message has the rest."""
    kind, message = _sendable(kind)[:NAME_LIMIT], _sendable(message)
    trace = [_sendable(line)[:_LINE_LIMIT] for line in trace]
    while (size := len((text := _dump(kind, message, trace)).encode())) > CAUSE_LIMIT:
        if _size(trace) > CAUSE_LIMIT // 2:
            quarter = len(trace) // 4
            trace = [*trace[:quarter], _CUT, *trace[-quarter:]]
        else:
            room = CAUSE_LIMIT - (size - _size(message))
            message = message[: max(0, len(message) * room // _size(message) - len(_CUT))] + _CUT
    return text


def _dump(kind: str, message: str, trace: list[str]) -> str:
    document = {"errorType": kind, "errorMessage": message, "stackTrace": trace}
    return json.dumps(document, ensure_ascii=False)


def _size(part: str | list[str]) -> int:
    """Bytes of `part` in the cause."""
    return len(json.dumps(part, ensure_ascii=False).encode())


def _sendable(text: str) -> str:
    """Shows lone surrogates, which UTF-8 cannot hold, as escapes."""
    return text.encode(errors="backslashreplace").decode()


def _text(own: Any) -> str:
    if isinstance(own, str):
        return _sendable(own)
    try:
        return _sendable(json.dumps(own, ensure_ascii=False, default=repr))
    except Exception:  # noqa: BLE001 - keys JSON does not know, a circle, a `__repr__` that fails
        return _sendable(_shown(own, "the cause"))


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of `text`, never half a character."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
