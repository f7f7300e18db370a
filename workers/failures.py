"""An exception becomes what SendTaskFailure takes: an error name and a cause."""

import json
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.errors import CAUSE_LIMIT, NAME_LIMIT, ErrorName

_OURS = tuple(str(Path(__file__).parent.parent / package) for package in ("workers", "interceptors"))
_CUT = "… (cut)"


@dataclass(frozen=True, slots=True)
class Failure:
    """What Step Functions is told about a task that failed."""

    error: str
    """At most 256 characters; what `ErrorEquals` matches."""
    cause: str = field(repr=False)
    """At most 32,768 bytes of UTF-8: JSON with `errorType`, `errorMessage` and `stackTrace`, or the user's own."""


def failure(error: BaseException) -> Failure:
    """The failure that stands for `error`.

    The name is the exception's `error_name`, or else its class name; the cause is its `cause` where it has one,
    or else its type, message and stack trace, whose middle is cut where they are too long.
    """
    name = getattr(error, "error_name", None) or type(error).__name__
    own = getattr(error, "cause", None)
    cause = _described(error) if own is None else _cut(_text(own), CAUSE_LIMIT)
    return Failure(str(name)[:NAME_LIMIT], cause)


def refusal(name: ErrorName, message: str) -> Failure:
    """A failure that the framework itself reports: no stack trace, for none would help."""
    return Failure(name, _cause(name, message, []))


def _described(error: BaseException) -> str:
    description = traceback.TracebackException.from_exception(error)
    _forget_our_frames(description)
    lines = [line.rstrip("\n") for part in description.format() for line in part.splitlines()]
    return _cause(type(error).__name__, _message(error), lines)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - an exception whose __str__ fails must not lose the task
        return f"(its message cannot be shown: {type(broken).__name__})"


def _forget_our_frames(description: traceback.TracebackException) -> None:
    """Leaves out the frames above the handler: the reader looks for their own code."""
    seen: traceback.TracebackException | None = description
    while seen is not None:
        theirs = [frame for frame in seen.stack if not frame.filename.startswith(_OURS)]
        if theirs:
            seen.stack = traceback.StackSummary.from_list(theirs)
        seen = seen.__cause__ or seen.__context__


def _cause(kind: str, message: str, trace: list[str]) -> str:
    """The cause as JSON that stays whole: the trace gives way first, from its middle, then the message."""
    message, trace = _sendable(message), [_sendable(line) for line in trace]
    while (excess := len((text := _dump(kind, message, trace)).encode()) - CAUSE_LIMIT) > 0:
        if len(trace) > 3:
            quarter = len(trace) // 4
            trace = [*trace[:quarter], _CUT, *trace[-quarter:]]
        elif trace:
            trace = []
        else:
            message = _cut(message, max(0, len(message.encode()) - excess - len(_CUT.encode()))) + _CUT
    return text


def _dump(kind: str, message: str, trace: list[str]) -> str:
    document = {"errorType": kind, "errorMessage": message, "stackTrace": trace}
    return json.dumps(document, ensure_ascii=False)


def _sendable(text: str) -> str:
    """Shows lone surrogates, which UTF-8 cannot hold, as escapes."""
    return text.encode(errors="backslashreplace").decode()


def _text(own: Any) -> str:
    if isinstance(own, str):
        return _sendable(own)
    try:
        return _sendable(json.dumps(own, ensure_ascii=False, default=repr))
    except (TypeError, ValueError, RecursionError):
        return _sendable(repr(own))


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of `text`, never half a character."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
