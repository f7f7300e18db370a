"""Reading by JSONPath: what `workers.machines.language.paths` parses, evaluated.

A path that names one place gives what is there, or nothing; any other gives the list of what it finds, which may be
empty (recorded on AWS).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from workers.local.values.errors import RUNTIME, EvaluationError
from workers.local.values.finding import finder
from workers.local.values.scope import MISSING, Evaluate, Missing, Scope, compact
from workers.machines.language.paths import Index, Member, Path, Step, parse_path


def compile_path(text: str, field: str) -> Evaluate:
    """What `text`, a path in `field`, leads to.

    Evaluating raises `EvaluationError` States.Runtime where it leads to nothing.
    """
    path, lookup = parse_path(text), compile_lookup(text)

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            searched = compact(scope.context if path.root == "$$" else scope.data)
            problem = f"could not be found in the input '{searched}'"
            raise EvaluationError(RUNTIME, f"The JSONPath '{text}' specified for the field '{field}' {problem}")
        return found

    return evaluate


def compile_selection(text: str | None) -> Evaluate:
    """What InputPath, OutputPath and their like choose; None chooses an empty object."""
    if text is None:
        return lambda _: {}
    path, lookup = parse_path(text), compile_lookup(text)

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            raise EvaluationError(RUNTIME, f"Invalid path '{text}' : No results for path: {_bracketed(path)}")
        return found

    return evaluate


@lru_cache(maxsize=4096)
def compile_lookup(text: str) -> Callable[[Scope], Any | Missing]:
    """What the path `text` leads to, or `MISSING`."""
    path = parse_path(text)
    root = path.root
    if not path.steps:
        return _ROOTS.get(root) or (lambda scope: scope.variables.get(root, MISSING))
    if path.definite:
        walk = _walker(path.steps)
        if root == "$":
            return lambda scope: walk(scope.data)
        if root == "$$":
            return lambda scope: walk(scope.context)
        return lambda scope: walk(scope.variables.get(root, MISSING))
    find = finder(path.steps)
    start = _ROOTS.get(root) or (lambda scope: scope.variables.get(root, MISSING))
    return lambda scope: find(start(scope), scope)


_ROOTS: dict[str, Callable[[Scope], Any]] = {"$": lambda scope: scope.data, "$$": lambda scope: scope.context}


def _walker(steps: tuple[Step, ...]) -> Callable[[Any], Any]:
    keys: list[Any] = [step.name if isinstance(step, Member) else getattr(step, "index", None) for step in steps]

    def walk(value: Any) -> Any:
        try:
            for key in keys:
                if isinstance(value, dict if isinstance(key, str) else list):
                    value = value[key]
                else:
                    return MISSING
        except (KeyError, IndexError):
            return MISSING
        return value

    return walk


def _bracketed(path: Path) -> str:
    """`$.a[0]` as Jayway's library, and with it AWS, shows it: `$['a'][0]`."""
    shown = "".join(
        f"['{step.name}']" if isinstance(step, Member) else f"[{step.index}]" if isinstance(step, Index) else "[*]"
        for step in path.steps
    )
    return "$" + shown
