"""What is shown of an error that nobody expected: the error and the code around it, not what called that."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

import click


def fault_report(error: BaseException) -> str:
    """For people: each error that `error` stands for, with its causes and the lines of code that led to it."""
    reports = [_report(one) for one in _leaves(error)]
    return "workers: stopped by an error that nobody expected:\n" + "\n".join(reports)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside the groups that task groups put around them."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _report(error: BaseException) -> str:
    described = TracebackException.from_exception(error)
    pending: list[TracebackException | None] = [described]
    while pending:
        if seen := pending.pop():
            seen.stack = StackSummary.from_list([frame for frame in seen.stack if not _is_machinery(frame)])
            pending += [seen.__cause__, seen.__context__]
    return "".join(described.format()).rstrip()


def _is_machinery(frame: FrameSummary) -> bool:
    return frame.filename.startswith(_machinery())


def _machinery() -> tuple[str, ...]:
    """Where the code lives that calls ours: command lines, event loops, contexts."""
    import asyncio  # a command that shows its help needs neither

    import anyio

    folders = [str(Path(str(module.__file__)).parent) + "/" for module in (click, anyio, asyncio)]
    return (*folders, str(Path(__file__).parent) + "/", "uvloop/", contextlib.__file__)
