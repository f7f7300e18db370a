"""A state machine's definition, from wherever it comes: judged, turned into ASL, and read back."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workers.arns import Place
from workers.errors import UsageError
from workers.machines.loading.files import open_source, read_text
from workers.machines.loading.source import Source
from workers.machines.model.machine import StateMachine
from workers.machines.model.shapes import asl_keys, snake_case
from workers.machines.notation.reading import SOMEWHERE, Reading, read
from workers.machines.notation.writing import write
from workers.machines.problems import Finding, InvalidDefinitionError, Problem, Severity, path_text
from workers.machines.validation.checker import check


class Definition:
    """A definition as it was written, in the notation or in ASL, which is a part of it.

    Made by `load()`. It can be judged without knowing where it will run; to become ASL it needs the account and the
    region in which its names stand for ARNs.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def name(self) -> str:
        """The file it comes from, or what messages call it."""
        return self._source.name

    @property
    def data(self) -> Any:
        """What was written, as data; None where the text could not be read."""
        return self._source.data

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with it, errors and warnings, in the order of the lines."""
        return self._judge(self._somewhere)

    def check(self) -> None:
        """Raises `InvalidDefinitionError`, with all problems, where one of them is an error."""
        _refuse(self.name, self.problems)

    def activities(self, *, place: Place, namespace: str | None = None) -> tuple[str, ...]:
        """The ARNs of the activities it uses."""
        return tuple(self._read(place, namespace).activities)

    def to_asl(self, *, place: Place | None = None, namespace: str | None = None) -> dict[str, Any]:
        """The definition in ASL.

        `place`: partition, region and account in which names stand for ARNs; it can be left out where the definition
        holds ARNs only. `namespace` goes before the names of activities. Raises `InvalidDefinitionError`, or
        `UsageError` for names without a place.
        """
        if place is None and namespace is None:
            reading, problems = self._somewhere, self.problems
        else:
            reading = self._read(place or SOMEWHERE, namespace)
            problems = self._judge(reading)
        _refuse(self.name, problems)
        if place is None and reading.named:
            raise UsageError(f"{self.name} names what it calls: say in which region and account")
        asl: dict[str, Any] = reading.asl
        return asl

    def machine(self, *, place: Place | None = None, namespace: str | None = None) -> StateMachine:
        """The definition as a model, as it will run. Raises like `to_asl`."""
        return StateMachine.model_validate(self.to_asl(place=place, namespace=namespace))

    def sketch(self) -> StateMachine:
        """The definition as a model to look at: its names stand in an account and a region of our own making.

        Raises `InvalidDefinitionError`.
        """
        self.check()
        return StateMachine.model_validate(self._somewhere.asl)

    @cached_property
    def _somewhere(self) -> Reading:
        return self._read(SOMEWHERE, None)

    def _read(self, place: Place, namespace: str | None) -> Reading:
        return read(self._source.data, place=place, namespace=namespace)

    def _judge(self, reading: Reading) -> tuple[Problem, ...]:
        source = self._source
        found = list(source.findings)
        if source.readable:
            found += reading.findings
            unread = {finding.where for finding in reading.findings}
            for finding in check(reading.asl):
                where = reading.source_of(finding.where)
                if not any(where[: len(place)] == place for place in unread):
                    found.append(replace(finding, where=where))
        return tuple(sorted(map(self._problem, found), key=lambda problem: problem.line or 0))

    def _problem(self, finding: Finding) -> Problem:
        message = _BACKTICKS.sub(lambda key: self._spelled(key[1]), finding.message)
        line = self._source.line(finding.where)
        return Problem(finding.code, path_text(finding.where), line, message, finding.severity)

    def _spelled(self, key: str) -> str:
        """A key as the writer of this definition spells it."""
        return snake_case(key) if self._in_snake_case and key in asl_keys() else key

    @cached_property
    def _in_snake_case(self) -> bool:
        data = self._source.data
        return isinstance(data, Mapping) and not data.keys().isdisjoint({"states", "start_at"})


_BACKTICKS = re.compile(r"`([^`]+)`")


def load(given: str | Path | Mapping[str, Any] | StateMachine | Definition) -> Definition:
    """The definition in a YAML or JSON file, in Python data, or of a model.

    A string is the path of a file; `parse()` takes a text. Raises `UsageError` for a file that cannot be opened.
    """
    if isinstance(given, Definition):
        return given
    return Definition(open_source(given.to_asl() if isinstance(given, StateMachine) else given))


def parse(text: str, *, name: str = "the definition") -> Definition:
    """The definition in a text: JSON where it starts with a brace, else YAML. Messages call it `name`."""
    return Definition(read_text(text, name=name))


def validate(given: str | Path | Mapping[str, Any] | StateMachine | Definition) -> tuple[Problem, ...]:
    """All that is wrong with a definition, found without network: errors and warnings, in the order of the lines.

    Raises `UsageError` for a file that cannot be opened, and nothing else.
    """
    return load(given).problems


def to_asl(
    given: str | Path | Mapping[str, Any] | StateMachine | Definition,
    *,
    place: Place | None = None,
    namespace: str | None = None,
) -> dict[str, Any]:
    """A definition in ASL: see `Definition.to_asl`."""
    return load(given).to_asl(place=place, namespace=namespace)


def from_asl(
    asl: Mapping[str, Any] | str, *, place: Place | None = None, namespace: str | None = None
) -> dict[str, Any]:
    """The notation of a definition in ASL (data, or the JSON text that AWS returns).

    With a `place`, ARNs in it become names, without the `namespace`. `to_asl()` of the result is `asl` again. Raises
    `UsageError` for a text that is no JSON object.
    """
    data = read_text(asl, json=True).data if isinstance(asl, str) else dict(asl)
    if not isinstance(data, dict):
        raise UsageError("the definition is no JSON object: give what DescribeStateMachine returns as `definition`")
    return write(data, place=place, namespace=namespace)


def _refuse(name: str, problems: tuple[Problem, ...]) -> None:
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidDefinitionError(name, problems)
