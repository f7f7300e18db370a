"""The files of deploy/, read for tests."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXTS = {
    str(path.relative_to(DEPLOY)): path.read_text()
    for path in sorted(DEPLOY.rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
}
"""Every file's text by its path."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags, whose arguments are kept as they are."""


def _argument(loader: Any, _: str, node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_mapping(node)


_Loader.add_multi_constructor("!", _argument)


def documents(path: str) -> list[Any]:
    """The documents of a YAML file."""
    return list(yaml.load_all(TEXTS[path], _Loader))


def manifest(path: str, kind: str) -> Any:
    """The one manifest of a kind in a file of deploy/kubernetes."""
    (found,) = [one for one in documents(f"kubernetes/{path}") if one["kind"] == kind]
    return found


def variables(text: str) -> set[str]:
    """The WORKERS_… variables that are set or named in it."""
    return set(re.findall(r"\bWORKERS_[A-Z_]+[A-Z]\b", text))


def as_in_a_stack(policy: dict[str, Any]) -> Any:
    """What `workers iam` prints for `${Names}` of a stack, as the stack has it: attributes, and one resource each."""
    found = json.loads(re.sub(r'"\$\{([\w.]+)\}"', r'"\1"', json.dumps(policy)))
    for statement in found["Statement"]:
        (statement["Resource"],) = statement["Resource"]
    return found
