"""The modules of both packages, and which of them each one imports, read from the source."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("workers", "interceptors")


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
"""Every module with its file."""


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of ours that `module` imports, at its top or inside a function, or for type checkers alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module} has a relative import; the house writes whole names"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & FILES.keys()
            if inner - FILES.keys():
                found.add(node.module)
    return frozenset(found & FILES.keys() - {module})


def is_door(module: str) -> bool:
    """Whether `module` is an `__init__.py`: it hands out names of its room, which it loads when they are used."""
    return FILES[module].name == "__init__.py"
