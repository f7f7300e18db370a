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


def compile_path(text: str, field: str, *, past_end: bool = False) -> Evaluate:
    """What `text`, a path in `field`, leads to. `past_end`: what is past the end of an array is null.

    Evaluating raises `EvaluationError` States.Runtime where it leads to nothing.
    """
    path, lookup = parse_path(text), compile_lookup(text)
    array = _array_before(path) if past_end else None

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            if array and isinstance(array(scope), list):
                return None
            searched = compact(scope.context if path.root == "$$" else scope.data)
            problem = f"could not be found in the input '{searched}'"
            raise EvaluationError(RUNTIME, f"The JSONPath '{text}' specified for the field '{field}' {problem}")
        return found

    return evaluate


def _array_before(path: Path) -> Callable[[Scope], Any] | None:
    """What leads to the array of which the path names one item at its end."""
    if not path.definite or not path.steps or not isinstance(path.steps[-1], Index):
        return None
    start, walk = _start(path.root), _walker(path.steps[:-1])
    return lambda scope: walk(start(scope))


def compile_selection(text: str | None) -> Evaluate:
    """What InputPath, OutputPath and their like choose; None chooses an empty object."""
    if text is None:
        return lambda _: {}
    path, lookup = parse_path(text), compile_lookup(text)
    start = _start(path.root)

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            raise EvaluationError(RUNTIME, f"Invalid path '{text}' : {_why(path, start(scope))}")
        return found

    return evaluate


@lru_cache(maxsize=4096)
def compile_lookup(text: str) -> Callable[[Scope], Any | Missing]:
    """What the path `text` leads to, or `MISSING`."""
    path = parse_path(text)
    root = path.root
    if not path.steps:
        return _start(root)
    if path.definite:
        walk = _walker(path.steps)
        if root == "$":
            return lambda scope: walk(scope.data)
        if root == "$$":
            return lambda scope: walk(scope.context)
        return lambda scope: walk(scope.variables.get(root, MISSING))
    find = finder(path.steps)
    start = _start(root)
    return lambda scope: find(start(scope), scope)


_NOWHERE = Scope(None, {}, {})
_ROOTS: dict[str, Callable[[Scope], Any]] = {"$": lambda scope: scope.data, "$$": lambda scope: scope.context}


def _start(root: str) -> Callable[[Scope], Any]:
    """Where a path begins: with the data, the context object, or a variable."""
    return _ROOTS.get(root) or (lambda scope: scope.variables.get(root, MISSING))


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


def _why(path: Path, value: Any) -> str:
    """Why `path` leads to nothing from `value`, in the words of Jayway's library, and with it of AWS."""
    way = "$"
    for step in path.steps:
        shown = _bracketed(step)
        if isinstance(step, Member) and not isinstance(value, dict):
            return f"Property {shown} not found in path {way}"
        if isinstance(step, Member) and step.name not in value and step is not path.steps[-1]:
            return f"Missing property in path {way}{shown}"
        if (value := finder((step,))(value, _NOWHERE)) is MISSING:
            break
        way += shown
    return f"No results for path: ${''.join(map(_bracketed, path.steps))}"


def _bracketed(step: Step) -> str:
    """`.a` as Jayway's library shows it: `['a']`."""
    return f"['{step.name}']" if isinstance(step, Member) else f"[{step.index}]" if isinstance(step, Index) else "[*]"
