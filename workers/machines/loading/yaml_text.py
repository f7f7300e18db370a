"""YAML, read and written as JSON with less quoting: `on`, `yes`, `012` and dates are text, as they look.

Plain scalars follow the JSON schema of YAML 1.2: `true`, `false`, `null` and JSON's numbers; all else is text.
Anchors, aliases and `<<` work as usual.
"""

import re
from typing import Any

import yaml
from yaml.composer import Composer

from workers.machines.loading.source import Source, unreadable
from workers.machines.problems import Finding, Where

_LARGEST = 200_000
"""Nodes, with those behind aliases counted each time: far above what fits into a definition."""
_PREFIX = "tag:yaml.org,2002:"
_Base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(Composer, _Base):  # type: ignore[misc]  # the C parser where PyYAML has it
    """Makes nodes of a text. The composer is the one in Python: the one in C crashes on deeply nested texts."""

    def __init__(self, text: str) -> None:
        _Base.__init__(self, text)
        Composer.__init__(self)


for _tag, _rule, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"-?(?:0|[1-9]\d*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", "-0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_PREFIX + _tag, re.compile(rf"(?:{_rule})\Z", re.ASCII), list(_first))


class _Dumper(yaml.SafeDumper):
    """Quotes text that either YAML 1.1 or the rules above would read as something else."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Text with odd line ends in double quotes: PyYAML loses them in single ones."""
    style = '"' if not _ODD_LINE_ENDS.isdisjoint(text) else None
    return dumper.represent_scalar(f"{_PREFIX}str", text, style=style)


_ODD_LINE_ENDS = frozenset("\r\x85\u2028\u2029")
_Dumper.add_representer(str, _quoted)
for _initial, _rules in _Loader.yaml_implicit_resolvers.items():
    for _rule_tag, _pattern in _rules:
        _Dumper.add_implicit_resolver(_rule_tag, _pattern, [_initial])


class _Unreadable(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, message: str, node: yaml.Node) -> None:
        super().__init__(message)
        self.line = _line(node)


def write_yaml(data: Any) -> str:
    """JSON data as YAML that reads back as the same."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def read_yaml(text: str, name: str) -> Source:
    """The definition in a YAML text."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, [error.context, error.problem]))
        return unreadable(name, f"is no YAML: {message}", mark.line + 1 if mark else None)
    except yaml.YAMLError as error:
        return unreadable(name, f"is no YAML: {error}")
    if node is None:
        return unreadable(name, "is empty")
    reader = _Reader()
    try:
        data = reader.read(node, ())
    except _Unreadable as error:
        return unreadable(name, str(error), error.line)
    return Source(name, data, tuple(reader.findings), count_lines=lambda: reader.lines)


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Where, int] = {}
        self.findings: list[Finding] = []
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: yaml.Node, where: Where) -> Any:
        self._count += 1
        if self._count > _LARGEST:
            raise _Unreadable("is larger than any definition can be, with its aliases written out", node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise _Unreadable("an alias stands inside of what it stands for", node)
        self._open.add(id(node))
        data = self._sequence(node, where) if isinstance(node, yaml.SequenceNode) else self._mapping(node, where)
        self._open.discard(id(node))
        return data

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix(_PREFIX)
        if kind in {"str", "merge"}:
            return node.value
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        try:
            if kind == "int":
                return int(node.value)
            if kind == "float":
                return float(node.value)
        except ValueError:
            raise _Unreadable(f"{node.value[:60]!r} is no number", node) from None
        raise _Unreadable(f"the tag {node.tag} means nothing here", node)

    def _sequence(self, node: yaml.SequenceNode, where: Where) -> list[Any]:
        self._plain(node, "seq")
        found = []
        for index, one in enumerate(node.value):
            self.lines[(*where, index)] = _line(one)
            found.append(self.read(one, (*where, index)))
        return found

    def _mapping(self, node: yaml.Node, where: Where) -> dict[Any, Any]:
        self._plain(node, "map")
        merged: dict[Any, Any] = {}
        members = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Unreadable("a key is text, not a list or an object", key_node)
            if key_node.tag == f"{_PREFIX}merge":
                merged = self._merged(value_node, where) | merged
            else:
                members.append((self._scalar(key_node), key_node, value_node))
        own: dict[Any, Any] = {}
        for key, key_node, value_node in members:
            place = (*where, str(key))
            if key in own:
                message = f"is given twice, first in line {self.lines[place]}"
                self.findings.append(Finding("duplicate-key", place, message))
            self.lines[place] = _line(key_node)
            own[key] = self.read(value_node, place)
        return merged | own

    def _merged(self, node: yaml.Node, where: Where) -> dict[Any, Any]:
        """What `<<` brings in: a mapping, or several of which the first wins."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[Any, Any] = {}
        for part in reversed(parts):
            if not isinstance(part, yaml.MappingNode):
                raise _Unreadable("<< takes an object, or a list of objects", part)
            found |= self.read(part, where)
        return found

    def _plain(self, node: yaml.Node, kind: str) -> None:
        if node.tag != _PREFIX + kind:
            raise _Unreadable(f"the tag {node.tag} means nothing here", node)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
