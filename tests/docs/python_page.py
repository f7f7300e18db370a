"""The page of the Python names, made from their source. `python -m tests.docs.tables` writes it anew."""

import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

from tests.docs.log_events import ROOT

PAGE = ROOT / "docs" / "reference" / "python.md"
HEAD = """# Python

What others may import: these names stay, and so do their arguments. Each is loaded when it is first used. How they are
used together is told in the other pages.

"""
ROOMS = (
    "workers",
    "interceptors",
    "workers.machines",
    "workers.executions",
    "workers.payloads",
    "workers.callbacks",
    "workers.embedded",
    "workers.testing",
    "workers.reloaded",
    "workers.local",
)
SINGLE = {
    "workers.manager.client": ("Client",),
    "workers.stepfunctions.account": ("open_account",),
}
"""Names that are imported from the module where they live."""


def text() -> str:
    """The page."""
    parts: list[str] = []
    for room in ROOMS:
        module = import_module(room)
        parts.append(f"## {room}\n\n{_first(module.__doc__)}\n")
        parts += [_name(getattr(module, name), name) for name in sorted(module.__all__)]
    for room, names in SINGLE.items():
        module = import_module(room)
        parts.append(f"## {room}\n\n{_first(module.__doc__)}\n")
        parts += [_name(getattr(module, name), name) for name in names]
    return HEAD + "\n".join(parts).rstrip() + "\n"


def _name(found: Any, name: str) -> str:
    node = _node(found)
    if node is None:
        return f"### {name}\n\n{_value(found, name)}\n"
    lines = [f"### {name}", "", *(_class(node) if isinstance(node, ast.ClassDef) else _function(node))]
    return "\n".join(lines)


def _value(found: Any, name: str) -> str:
    """What is neither a class nor a function: a type, say, or the version."""
    module = sys.modules[getattr(found, "__module__", "") or "workers.version"]
    for first, second in pairwise(ast.parse(inspect.getsource(module)).body):
        targets = [ast.unparse(one) for one in getattr(first, "targets", [getattr(first, "target", None)]) if one]
        if name in targets and isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant):
            return inspect.cleandoc(str(second.value.value))
    return "A text." if isinstance(found, str) else f"`{name}`"


def _node(found: Any) -> ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The source of a class or a function, without what wraps it."""
    found = inspect.unwrap(found)
    if not (inspect.isclass(found) or inspect.isfunction(found)):
        return None
    module = ast.parse(inspect.getsource(sys.modules[found.__module__]))
    nodes = [one for one in module.body if getattr(one, "name", None) == found.__name__]
    return next((one for one in nodes if isinstance(one, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)), None)


def _class(node: ast.ClassDef) -> Iterator[str]:
    functions = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    made = next((one for one in functions if one.name == "__init__"), None)
    fields = list(_fields(node))
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    yield "```text"
    yield _signature(made, node.name) if made else f"class {node.name}({bases})" if bases else f"class {node.name}"
    yield "```"
    yield ""
    yield _doc(node)
    yield ""
    public = [one for one in functions if not one.name.startswith("_")]
    looked = [one for one in public if any("property" in ast.unparse(mark) for mark in one.decorator_list)]
    attributes = fields + [
        (one.name, ast.unparse(one.returns) if one.returns else "", _first(ast.get_docstring(one))) for one in looked
    ]
    if attributes:
        yield "| Attribute | Type | Is |"
        yield "|---|---|---|"
        for name, kind, said in attributes:
            escaped = kind.strip("'").replace("|", "\\|")
            yield f"| `{name}` | {f'`{escaped}`' if kind else ''} | {said} |"
        yield ""
    for one in public:
        if one not in looked and not any("overload" in ast.unparse(mark) for mark in one.decorator_list):
            yield f"#### {node.name}.{one.name}"
            yield ""
            yield from _function(one)


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Public fields that are declared in the class, with what is written below each."""
    for field, below in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        words = " ".join(inspect.cleandoc(str(said)).split()).replace("|", "\\|")
        if isinstance(field, ast.AnnAssign) and not (name := ast.unparse(field.target)).startswith("_"):
            yield name, ast.unparse(field.annotation), words
        elif isinstance(field, ast.Assign) and said and not (name := ast.unparse(field.targets[0])).startswith("_"):
            yield name, ast.unparse(field.value), words


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    yield "```text"
    yield _signature(node, node.name)
    yield "```"
    yield ""
    yield _doc(node)
    yield ""


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> str:
    """The signature as it is written, an argument a line where it is long."""
    arguments = node.args
    spelled = [_argument(one, default) for one, default in _with_defaults(arguments)]
    positional = len(arguments.posonlyargs)
    if positional:
        spelled.insert(positional, "/")
    if arguments.vararg:
        spelled.append(f"*{_argument(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        spelled.append("*")
    spelled += [
        _argument(one, default) for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        spelled.append(f"**{_argument(arguments.kwarg, None)}")
    spelled = [one for one in spelled if one not in {"self", "cls"}]
    kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    returns = f" -> {_spelled(node.returns)}" if node.returns and name == node.name else ""
    line = f"{kind}{name}({', '.join(spelled)}){returns}"
    return (
        line if len(line) <= 110 else f"{kind}{name}(\n" + "".join(f"    {one},\n" for one in spelled) + f"){returns}"
    )


def _with_defaults(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    return list(zip(plain, [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults), strict=True))


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    kind = f": {_spelled(one.annotation)}" if one.annotation else ""
    value = "" if default is None else f"{' = ' if kind else '='}{ast.unparse(default)}"
    return f"{one.arg}{kind}{value}"


def _spelled(annotation: ast.expr) -> str:
    """A type as it is meant: some are quoted, for they are not there when the program runs."""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return str(annotation.value) if quoted else ast.unparse(annotation)


def _doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The docstring; what is indented in it is shown as it stands."""
    return (ast.get_docstring(node) or "").replace("<", "\\<").strip()


def _first(doc: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split()).replace("|", "\\|")
