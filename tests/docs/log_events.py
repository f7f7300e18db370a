"""Every log event that the packages can write, read from their source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("workers", "interceptors")
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}


@dataclass(frozen=True)
class Event:
    """A call like `log.info("worker started", worker=…)`."""

    name: str
    level: str
    keys: frozenset[str]
    where: str


def log_events() -> Iterator[Event]:
    """Fails for an event whose name is not written where it is logged: nobody could find it in the docs."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield from _events(ast.parse(file.read_text()), str(file.relative_to(ROOT)))


def _events(module: ast.Module, where: str) -> Iterator[Event]:
    loggers = _loggers(module)
    for call in ast.walk(module):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in loggers
            and call.func.attr in LEVELS
        ):
            keys = loggers[call.func.value.id] | _keys(call)
            for name in _names(call.args[0], f"{where}:{call.lineno}"):
                yield Event(name, LEVELS[call.func.attr], keys, f"{where}:{call.lineno}")


def _loggers(module: ast.Module) -> dict[str, frozenset[str]]:
    """The names of loggers, with the keys that are bound to each."""
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            made = ast.unparse(node.value.func)
            if made in {"structlog.get_logger", "get_logger", "log.bind"}:
                found[node.targets[0].id] = _keys(node.value)
    return found


def _keys(call: ast.Call) -> frozenset[str]:
    return frozenset(keyword.arg for keyword in call.keywords if keyword.arg and keyword.arg != "exc_info")


def _names(event: ast.expr, where: str) -> list[str]:
    if isinstance(event, ast.IfExp):
        return _names(event.body, where) + _names(event.orelse, where)
    assert isinstance(event, ast.Constant), f"{where}: write the event's name where it is logged"
    return [event.value]
