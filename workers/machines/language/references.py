"""What a JSONata expression reads that Step Functions does not give it.

An expression there has no context item: its input is `$states.input`, and variables are `$name`. A bare name at the top
level would read nothing, and AWS refuses the definition (measured: UNSUPPORTED_JSONATA_EXPRESSION).
"""

from collections.abc import Iterator
from typing import Any

_CHILDREN = (
    "lhs", "rhs", "lhs_object", "rhs_object", "arguments", "expressions", "expression", "condition", "then", "_else",
    "body", "procedure",
)  # fmt: skip


def bare_names(node: Any) -> Iterator[str]:
    """The names at the top level of an expression, parsed by jsonata-python."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from bare_names(one)
        return
    kind = getattr(node, "type", None)
    if kind == "path":  # later steps, and the predicates of the first, have what the first finds for their context
        first = node.steps[0]
        if first.type == "name":
            yield first.value
        else:
            yield from bare_names(first)
    elif kind not in {None, "transform"}:
        for name in _CHILDREN:
            child = getattr(node, name, None)
            if name == "procedure" and getattr(child, "type", None) == "path":
                continue  # `sum(1)` is told when it is evaluated
            if child is not None and not isinstance(child, str | bool):
                yield from bare_names(child)
