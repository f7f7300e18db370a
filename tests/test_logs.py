"""Log lines of structlog and of the standard library look alike, and go to stderr."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import logging, sys, structlog
from workers.logs import configure_logs

configure_logs(sys.argv[1], sys.argv[2])
structlog.contextvars.bind_contextvars(task="abc")
log = structlog.get_logger("one")
log.debug("hidden")
log.info("task done", seconds=1.5, odd=object, text="\\ud800 ü")
logging.getLogger("two").warning("from %s", "the library")
logging.getLogger("botocore.credentials").info("found credentials")
for logger in (log, logging.getLogger("three")):
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("broken")
print("output")
"""


def said(level: str, form: str) -> list[str]:
    """The lines on stderr of a program that logs."""
    command = [sys.executable, "-c", PROGRAM, level, form]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "output\n"
    return ended.stderr.splitlines()


@pytest.mark.parametrize("form", ["json", "auto"])
def test_json_is_one_object_a_line_with_level_time_and_context(form: str):
    lines: list[dict[str, Any]] = [json.loads(line) for line in said("info", form)]
    assert [(line["event"], line["level"], line["task"]) for line in lines] == [
        ("task done", "info", "abc"),
        ("from the library", "warning", "abc"),
        ("broken", "error", "abc"),
        ("broken", "error", "abc"),
    ]
    assert lines[0]["seconds"] == 1.5
    assert lines[0]["text"] == "\ud800 ü"
    assert lines[1]["logger"] == "two"
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert all(line["exception"].endswith("ZeroDivisionError: division by zero") for line in lines[2:])


def test_the_console_shows_the_same_for_people_without_colours_in_a_file():
    lines = said("info", "console")
    assert "task done" in lines[0]
    assert "seconds=1.5" in lines[0]
    assert "from the library" in lines[1]
    assert not any("\x1b[" in line for line in lines)
    assert sum("ZeroDivisionError: division by zero" in line for line in lines) == 2


def test_a_level_holds_for_both_kinds():
    assert [json.loads(line)["event"] for line in said("error", "json")] == ["broken", "broken"]


def test_libraries_that_talk_much_are_quiet_even_when_debugging():
    events = [json.loads(line)["event"] for line in said("debug", "json")]
    assert "hidden" in events
    assert "found credentials" not in events
