"""Where log lines go and how they look: coloured on a terminal, one JSON object a line elsewhere."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _without_rich() -> Iterator[None]:
    """structlog would import rich, which takes a fifth of a second, to draw tracebacks that show payloads."""
    known = {name: module for name, module in sys.modules.items() if name == "rich"}
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["rich"]
        sys.modules.update(known)


with _without_rich():
    import structlog

get_logger = structlog.get_logger
"""That of structlog, for modules that may be the first to ask for it: rich stays out then."""

_QUIET = (
    "aiobotocore",
    "aiohttp",
    "alembic",
    "asyncio",
    "botocore",
    "fsspec",
    "s3fs",
    "urllib3",
    "uvicorn",
)


_chosen: list[tuple[str, str]] = []


def chosen_logs() -> tuple[str, str] | None:
    """What `configure_logs` was last given in this process, for a child process to do the same; None: nothing."""
    return _chosen[-1] if _chosen else None


def _console_renderer() -> structlog.dev.ConsoleRenderer:
    """Tracebacks without the values of variables: those may be payloads and task tokens."""
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def configure_logs(level: str = "info", form: str = "auto") -> None:
    """Sends structlog's events and the standard library's log lines to stderr, in the same form.

    `form` is "console", "json" or "auto" (console on a terminal). Both kinds of lines carry what is bound to the
    context: inside a task, its ids.
    """
    _chosen[:] = [(level, form)]
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    final: list[Any] = (
        [_console_renderer()]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.processors.StackInfoRenderer(), *final],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
