"""Where a definition comes from: a file, a text, Python data."""

from pathlib import Path
from typing import Any

from workers.errors import UsageError
from workers.machines.loading.json_text import read_json
from workers.machines.loading.source import Source, unreadable
from workers.machines.loading.yaml_text import read_yaml

_LONGEST = 10_000_000
"""Characters of a text: a definition has at most 1,048,576 bytes, with comments and indentation around it."""


def open_source(given: Any) -> Source:
    """The definition in a file, or in Python data.

    `given`: the path of a JSON file (`.json`) or of a YAML or JSON file (any other name), or the data itself. Raises
    `UsageError` for a file that cannot be opened; what is wrong inside of it are findings of the source.
    """
    if not isinstance(given, str | Path):
        return Source("the definition", given)
    path = Path(given)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            return unreadable(str(path), f"is no UTF-8 text: {error.reason} at byte {error.start}")
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read {path}: {reason}") from None
    return read_text(text, name=str(path), json=path.suffix == ".json")


def read_text(text: str, *, name: str = "the definition", json: bool = False) -> Source:
    """The definition in a text: JSON where `json` says so or it starts with a brace, else YAML."""
    if len(text) > _LONGEST:
        return unreadable(name, f"has {len(text):,} characters: no definition is that long")
    try:
        return read_json(text, name) if json or text.lstrip().startswith("{") else read_yaml(text, name)
    except RecursionError:
        return unreadable(name, "is nested too deeply")
