"""A definition in the notation as YAML, for people."""

import json
from collections.abc import Mapping
from typing import Any

import yaml


def as_yaml(notation: Mapping[str, Any]) -> str:
    """The YAML text of what `from_asl()` returned; a file for `load()`."""
    # Through JSON, because YAML writes what occurs twice as a reference.
    plain = json.loads(json.dumps(notation))
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return text
