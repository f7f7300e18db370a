"""The census: five activities that read Python modules, for the state machine in `census.asl.json`.

It is an ordinary registry, and runs wherever its state machine does:

    workers run workers.demo.census:registry
"""

import ast
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

import anyio
from pydantic import BaseModel

from workers.errors import ActivityError
from workers.registry import Registry

registry = Registry()

DEFINITION = Path(__file__).with_name("census.asl.json")
"""The state machine."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.BoolOp, ast.comprehension)
_AT_ONCE = 1
"""Modules that each of the two parsing activities works on, in a process: a thread would hold up all others."""
_TESTS = {"test", "tests"}
_MOST_MODULES = 300
"""The results of all of them stay below the 262,144 bytes that a state's output may have."""


class Source(BaseModel):
    """A module's file."""

    name: str
    path: Path


class Listing(BaseModel):
    """What is to be counted."""

    package: str
    modules: list[Source]


class Measured(BaseModel):
    """A function that stands out, and by how much."""

    name: str
    size: int


class Module(Source):
    """What was counted in one module."""

    lines: int
    functions: int
    classes: int
    documented: int
    """Functions and classes with a docstring."""
    longest: Measured | None
    """Its size is in lines."""
    imports: list[str]
    """Top-level names, each once."""
    tangled: Measured | None = None
    """The function with the most branches, where the module was long enough to look for it."""


class LeftOut(BaseModel):
    """A module that could not be counted."""

    name: str
    reason: str


class Totals(BaseModel):
    """A whole package."""

    package: str
    modules: int
    lines: int
    functions: int
    classes: int
    documented: int
    left_out: list[LeftOut]


class Records(BaseModel):
    """What stands out in a package."""

    longest: Measured | None
    tangled: Measured | None
    imports: dict[str, int]
    """How many modules import each of the most imported names."""


@registry.activity("census-list")
async def list_modules(package: str, folder: Path) -> Listing:
    """The modules in `folder`, which holds `package`; its tests are left out."""
    root = anyio.Path(folder)
    found = [_source(package, root, path) async for path in root.rglob("*.py")]
    modules = sorted((source for source in found if not _TESTS & {*source.name.split(".")}), key=attrgetter("name"))
    if not 0 < len(modules) <= _MOST_MODULES:
        raise ActivityError("NotCountable", f"{folder} has {len(modules)} modules: 1 to {_MOST_MODULES} can be counted")
    return Listing(package=package, modules=modules)


def _source(package: str, root: anyio.Path, path: anyio.Path) -> Source:
    parts = path.relative_to(root).with_suffix("").parts
    return Source(name=".".join([package, *parts]).removesuffix(".__init__"), path=Path(path))


@registry.activity("census-count", process=True, concurrency=_AT_ONCE)
def count(source: Source, /) -> Module:
    """Counts one module. Raises `Unreadable` for what Python cannot parse: a half-saved file, say."""
    text, tree = _read(source.path)
    nodes = list(_walk(tree, source.name))
    defined = [(name, node) for name, node in nodes if isinstance(node, _Definition)]
    functions = [(name, node) for name, node in defined if isinstance(node, _Function)]
    return Module(
        name=source.name,
        path=source.path,
        lines=text.count(b"\n"),
        functions=len(functions),
        classes=len(defined) - len(functions),
        documented=sum(ast.get_docstring(node, clean=False) is not None for _, node in defined),
        longest=_largest(Measured(name=name, size=_length(node)) for name, node in functions),
        imports=sorted({imported for _, node in nodes for imported in _imports(node)}),
    )


@registry.activity("census-untangle", process=True, concurrency=_AT_ONCE)
def untangle(module: Module, /) -> Module:
    """Looks for the function with the most branches, which takes a second walk through every function."""
    _, tree = _read(module.path)
    functions = [(name, node) for name, node in _walk(tree, module.name) if isinstance(node, _Function)]
    tangled = _largest(Measured(name=name, size=_branches(node)) for name, node in functions)
    return module.model_copy(update={"tangled": tangled})


@registry.activity("census-total")
async def total(package: str, modules: list[Module | LeftOut]) -> Totals:
    """Adds up what was counted."""
    counted = [module for module in modules if isinstance(module, Module)]
    return Totals(
        package=package,
        modules=len(counted),
        lines=sum(module.lines for module in counted),
        functions=sum(module.functions for module in counted),
        classes=sum(module.classes for module in counted),
        documented=sum(module.documented for module in counted),
        left_out=[module for module in modules if isinstance(module, LeftOut)],
    )


@registry.activity("census-records")
def records(modules: list[Module | LeftOut]) -> Records:
    """Finds what stands out."""
    counted = [module for module in modules if isinstance(module, Module)]
    return Records(
        longest=_largest(module.longest for module in counted),
        tangled=_largest(module.tangled for module in counted),
        imports=dict(Counter(name for module in counted for name in module.imports).most_common(50)),
    )


def _read(path: Path) -> tuple[bytes, ast.Module]:
    text = path.read_bytes()
    try:
        return text, ast.parse(text, path.name)
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        raise ActivityError("Unreadable", str(error)) from error


def _walk(tree: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    """All nodes, each with the name of the definition that it is or is inside of."""
    waiting = deque([(name, tree)])
    while waiting:
        name, node = waiting.popleft()
        yield name, node
        for child in ast.iter_child_nodes(node):
            waiting.append((f"{name}.{child.name}" if isinstance(child, _Definition) else name, child))


def _length(function: _Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _branches(function: _Function) -> int:
    return sum(isinstance(node, _BRANCHES) for node in ast.walk(function))


def _largest(functions: Iterable[Measured | None]) -> Measured | None:
    return max((function for function in functions if function), key=attrgetter("size"), default=None)


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []
