"""Which errors a handler raises, as far as its source shows."""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workers.errors import ActivityError

_MOST_FUNCTIONS = 200
"""Functions that are followed from one handler."""


_Call = tuple[Any, tuple[type, ...]]
"""A function, and the exception classes that are caught around the call."""


@dataclass
class Raised:
    """What was read in the source of a handler and of the functions of the same package that it calls."""

    names: dict[str, str] = field(default_factory=dict)
    """Error names as Step Functions gets them, and where each is raised first, `FILE:LINE`."""
    whole: bool = True
    """Whether everything that is raised could be named: no `raise error` of something computed."""


def raised_by(function: Callable[..., Any]) -> Raised:
    """What `function` raises itself; what libraries raise inside of it cannot be known."""
    found = Raised()
    seen: set[_Call] = set()
    waiting: list[_Call] = [(_bare(function), ())]
    while waiting and len(seen) < _MOST_FUNCTIONS:
        call = waiting.pop()
        if call in seen:
            continue
        seen.add(call)
        called, caught = call
        if reader := _Reader.of(called, found):
            waiting += reader.read(caught)
        else:
            found.whole = False
    return found


def _bare(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    if inspect.isfunction(function) or inspect.ismethod(function):
        return getattr(function, "__func__", function)
    return getattr(type(function), "__call__", function)  # noqa: B004 - the method itself is wanted


class _Reader:
    """Reads one function."""

    def __init__(self, function: Any, tree: ast.AST, found: Raised) -> None:
        self._function = function
        self._tree = tree
        self._found = found
        self._file = inspect.getsourcefile(function) or "?"
        self._first = function.__code__.co_firstlineno
        self._names = {**vars(builtins), **function.__globals__, **inspect.getclosurevars(function).nonlocals}
        self._calls: list[_Call] = []

    @classmethod
    def of(cls, function: Any, found: Raised) -> "_Reader | None":
        """A reader of `function`; None where it has no source."""
        try:
            source = textwrap.dedent(inspect.getsource(function))
            tree = ast.parse(source).body[0]
        except (OSError, TypeError, SyntaxError, IndexError):
            return None
        return cls(function, tree, found) if hasattr(function, "__code__") else None

    def read(self, caught: tuple[type, ...]) -> list[_Call]:
        """Notes what is raised, and not `caught` outside; returns the calls of functions of the same package."""
        body = getattr(self._tree, "body", [])
        self._read(body if isinstance(body, list) else [body], caught)
        return self._calls

    def _read(self, nodes: list[Any], caught: tuple[type, ...]) -> None:
        for node in nodes:
            if isinstance(node, ast.Try | ast.TryStar):
                inside = tuple(kind for handler in node.handlers for kind in self._kinds(handler))
                self._read(node.body, (*caught, *inside))
                for handler in node.handlers:
                    self._read(handler.body, caught)
                    if any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(handler)):
                        self._read(node.body, caught)  # what was caught goes on
                self._read([*node.orelse, *node.finalbody], caught)
            elif isinstance(node, ast.Raise):
                self._raise(node, caught)
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                self._call(node, caught)
                self._read(list(ast.iter_child_nodes(node)), caught)

    def _kinds(self, handler: ast.ExceptHandler) -> Iterator[type]:
        """The exception classes that `handler` catches."""
        named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for one in named:
            kind = BaseException if one is None else self._value(one)
            if isinstance(kind, type):
                yield kind

    def _raise(self, node: ast.Raise, caught: tuple[type, ...]) -> None:
        if node.exc is None:
            return
        arguments = node.exc.args if isinstance(node.exc, ast.Call) else []
        kind = self._value(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            self._found.whole = False
        elif not issubclass(kind, caught):
            name = _error_name(kind, arguments)
            if name is None:
                self._found.whole = False
            else:
                self._found.names.setdefault(name, f"{self._file}:{self._first + node.lineno - 1}")

    def _call(self, node: ast.AST, caught: tuple[type, ...]) -> None:
        if isinstance(node, ast.Call):
            called = self._value(node.func)
            if inspect.isfunction(called) and _package(called) == _package(self._function):
                self._calls.append((_bare(called), caught))

    def _value(self, node: ast.AST | None) -> Any:
        """What a name, or an attribute of one, stands for."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._value(node.value), node.attr, None)
        return None


def _error_name(kind: type[BaseException], arguments: list[ast.expr]) -> str | None:
    """The name under which Step Functions hears of it; None where that is computed."""
    if issubclass(kind, ActivityError) and "error_name" not in vars(kind):
        first = arguments[0] if arguments else None
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    own = getattr(kind, "error_name", None)
    return str(own) if isinstance(own, str) else kind.__name__


def _package(function: Any) -> str:
    return str(function.__module__).partition(".")[0]
