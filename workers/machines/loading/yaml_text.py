"""YAML, read and written as JSON with less quoting: `on`, `yes`, `012` and dates are text, as they look.

Plain scalars follow the JSON schema of YAML 1.2: `true`, `false`, `null` and JSON's numbers; all else is text.
Anchors, aliases and `<<` work as usual. The text is read event by event: PyYAML's nodes take twice the time, and its
composer in C crashes on deeply nested texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from workers.machines.loading.source import Source, unreadable
from workers.machines.problems import Finding, Where

_LARGEST = 200_000
"""Values, with those behind aliases counted each time: far above what fits into a definition."""
_TAGS = "tag:yaml.org,2002:"
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_CONSTANTS = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)


def read_yaml(text: str, name: str) -> Source:
    """The definition in a YAML text."""
    try:
        reader = _Reader(text)
        data = reader.document()
    except _Unreadable as error:
        return unreadable(name, str(error), error.line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, [error.context, error.problem]))
        remedy = _remedy(text, mark) if mark and "cannot start any token" in message else ""
        return unreadable(name, f"is no YAML: {remedy or message}", mark.line + 1 if mark else None)
    except yaml.YAMLError as error:
        return unreadable(name, f"is no YAML: {error}")
    return Source(name, data, tuple(reader.findings), count_lines=lambda: dict(reader.places))


def _remedy(text: str, mark: yaml.Mark) -> str:
    """What to do about the character at `mark`, which YAML does not allow there."""
    line = text.splitlines()[mark.line : mark.line + 1]
    sign = line[0][mark.column : mark.column + 1] if line else ""
    if sign == "\t":
        return f"there is a tab at column {mark.column + 1}: indent with spaces"
    quoted = re.match(r"[^\s,\]}]+", line[0][mark.column :]) if sign else None
    return f'a text cannot begin with {sign}: put it in quotes, as in "{quoted[0]}"' if quoted else ""


class _Dumper(yaml.SafeDumper):
    """Quotes text that either YAML 1.1 or the rules above would read as something else, and writes no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base's signature
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Text with odd line ends in double quotes: PyYAML loses them in single ones."""
    style = '"' if not _ODD_LINE_ENDS.isdisjoint(text) else None
    return dumper.represent_scalar(f"{_TAGS}str", text, style=style)


_ODD_LINE_ENDS = frozenset("\r\x85\u2028\u2029")
_Dumper.add_representer(str, _quoted)
_Dumper.add_implicit_resolver(f"{_TAGS}float", re.compile(rf"{_NUMBER.pattern}\Z", re.ASCII), list("-0123456789"))


def write_yaml(data: Any) -> str:
    """JSON data as YAML that reads back as the same."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


class _Unreadable(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, message: str, event: yaml.Event | None) -> None:
        super().__init__(message)
        self.line = _line(event) if event else None


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for."""

    data: Any
    where: Where
    places: list[tuple[Where, int]]
    size: int


class _Reader:
    def __init__(self, text: str) -> None:
        self.places: list[tuple[Where, int]] = []
        """Keys and entries of lists with their lines. Of two for the same place the later counts."""
        self.findings: list[Finding] = []
        self._next = _Parser(text).get_event
        self._anchors: dict[str, _Anchored | None] = {}
        self._count = 0

    def document(self) -> Any:
        """The only document of the text."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise _Unreadable("is empty", None)
        data = self._value(self._next(), ())
        self._next()
        if not isinstance(event := self._next(), yaml.StreamEndEvent):
            raise _Unreadable("is no YAML: expected a single document", event)
        return data

    def _value(self, event: Any, where: Where) -> Any:
        self._count += 1
        if self._count > _LARGEST:
            raise _Unreadable("is larger than any definition can be, with its aliases written out", event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, where)
        if event.anchor is None:
            return self._content(event, where)
        self._anchors[event.anchor] = None
        places, count = len(self.places), self._count
        data = self._content(event, where)
        self._anchors[event.anchor] = _Anchored(data, where, self.places[places:], self._count - count)
        return data

    def _alias(self, event: Any, where: Where) -> Any:
        if event.anchor not in self._anchors:
            raise _Unreadable(f"there is no anchor &{event.anchor} before this", event)
        if not (found := self._anchors[event.anchor]):
            raise _Unreadable("an alias stands inside of what it stands for", event)
        self._count += found.size
        if self._count <= _LARGEST:
            self.places += [((*where, *place[len(found.where) :]), line) for place, line in found.places]
        return found.data

    def _content(self, event: Any, where: Where) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in {None, "!", f"{_TAGS}{'map' if mapping else 'seq'}"}:
            raise _Unreadable(f"the tag {event.tag} means nothing here", event)
        return self._mapping(where) if mapping else self._sequence(where)

    def _sequence(self, where: Where) -> list[Any]:
        found: list[Any] = []
        for event in self._until(yaml.SequenceEndEvent):
            place = (*where, len(found))
            self.places.append((place, _line(event)))
            found.append(self._value(event, place))
        return found

    def _mapping(self, where: Where) -> dict[Any, Any]:
        merged: dict[Any, Any] = {}
        own: dict[Any, Any] = {}
        places: dict[Where, int] = {}
        for event in self._until(yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _Unreadable("a key is text, not a list, an object or an alias", event)
            if event.value == "<<" and event.implicit[0]:
                merged = self._merged(where) | merged
                continue
            key, line = _scalar(event), _line(event)
            place = (*where, str(key))
            if key in own:
                message = f"is given twice, first in line {places[place]}"
                self.findings.append(Finding("duplicate-key", place, message))
            places[place] = line
            self.places.append((place, line))
            own[key] = self._value(self._next(), place)
        if merged:
            self.places += places.items()  # what is written here counts, also where `<<` stands below it
        return merged | own if merged else own

    def _merged(self, where: Where) -> dict[Any, Any]:
        """What `<<` brings in: an object, or several of which the first wins."""
        event = self._next()
        several = isinstance(event, yaml.SequenceStartEvent)
        found: dict[Any, Any] = {}
        for part in self._until(yaml.SequenceEndEvent) if several else (event,):
            data = self._value(part, where)
            if not isinstance(data, dict):
                raise _Unreadable("<< takes an object, or a list of objects", part)
            found = data | found
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[Any]:
        while not isinstance(event := self._next(), end):
            yield event


def _scalar(event: Any) -> Any:
    if event.implicit[0]:
        return _plain(event.value, event)
    if event.tag in {None, "!", f"{_TAGS}str"}:
        return event.value
    raise _Unreadable(f"the tag {event.tag} means nothing here", event)


def _plain(text: str, event: Any) -> Any:
    """What a scalar without quotes stands for."""
    if text in _NULLS:
        return None
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if not (number := _NUMBER.fullmatch(text)):
        return text
    try:
        return float(text) if number["fraction"] or number["exponent"] else int(text)
    except ValueError:  # Python takes no whole numbers of more than a few thousand digits
        raise _Unreadable(f"the number {text[:20]}… is too large", event) from None


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
