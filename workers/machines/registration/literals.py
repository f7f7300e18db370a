"""Values that a definition gives as they are, and does not compute."""

from typing import Any

from workers.machines.language.jsonata import is_expression
from workers.machines.notation.resources import PLACEHOLDER


def literal(value: Any, *keys: str) -> str | None:
    """The text in `value`, or under the first of `keys` that it has; None where it is computed, or no text."""
    if keys:
        value = next((value[key] for key in keys if key in value), None) if isinstance(value, dict) else None
    if not isinstance(value, str) or is_expression(value) or PLACEHOLDER.search(value):
        return None
    return value
