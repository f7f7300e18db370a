"""The command line in this process: its exit code and what it prints."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from workers.cli.main import main


@dataclass
class Said:
    code: Any
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Line:
    """`line("machines", "list")` runs `workers machines list`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = self._capsys.readouterr()
        return Said(ended.value.code, captured.out, captured.err)

    def ok(self, *arguments: str) -> Said:
        said = self(*arguments)
        assert said.code == 0, said
        return said

    def refused(self, *arguments: str) -> str:
        """What is said, in one line, when the input is bad."""
        said = self(*arguments)
        assert said.code == 2, said
        assert said.out == ""
        assert said.err.startswith("workers: ")
        assert said.err.count("\n") == 1
        return said.err.removeprefix("workers: ").rstrip()
