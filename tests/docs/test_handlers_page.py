"""The pages about handlers and errors say what the code does."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests.docs.tables import REFERENCE, errors_rows, read_rows
from tests.house.modules import FILES
from workers.errors import CAUSE_LIMIT, NAME_LIMIT, ErrorName
from workers.handlers import HandlerOptions
from workers.signatures import InvalidInputError, read_signature
from workers.task import Task

HANDLERS = (REFERENCE / "handlers.md").read_text()


def test_the_errors_page_lists_every_name_that_is_sent_as_the_code_has_it():
    assert read_rows("errors.md") == errors_rows(), "run python -m tests.docs.tables"
    assert [row[0].strip("`") for row in errors_rows()] == list(ErrorName)
    assert {retry for _, _, retry in errors_rows()} == {"yes", "no", "later"}


def test_every_error_name_is_sent_by_something():
    text = "".join(path.read_text() for path in FILES.values())
    used = {name for name in ErrorName if f"ErrorName.{name.name}" in text or text.count(f'"{name}"') > 1}
    assert set(ErrorName) - used == set()
    assert set(re.findall(r'"(Worker\.[A-Z]\w+)"', text)) <= set(ErrorName)


def test_the_handlers_page_lists_every_option():
    listed = re.findall(r"^\| `(\w+)` \|", HANDLERS.partition("| Option |")[2].partition("\n\n")[0], re.MULTILINE)
    assert set(listed) == HandlerOptions.__required_keys__ | HandlerOptions.__optional_keys__


def test_every_attribute_of_a_task_that_is_listed_is_there():
    listed = re.findall(r"`task\.(\w+)", HANDLERS)
    fields = Task.__dataclass_fields__
    assert listed
    assert [name for name in listed if name not in fields and not hasattr(Task, name)] == []


def test_the_limits_of_causes_and_names_are_those_of_the_code():
    assert f"at most {CAUSE_LIMIT:,} bytes" in HANDLERS
    assert f"cut at {NAME_LIMIT} characters" in HANDLERS


def test_the_message_for_an_input_that_does_not_fit_is_the_one_shown():
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", HANDLERS, re.DOTALL | re.MULTILINE)[:3]:
        exec(block, names)
    arguments, _ = read_signature("charge", names["charge"])
    with pytest.raises(InvalidInputError) as caught:
        arguments.read(SimpleNamespace(input={"id": "seven"}))  # type: ignore[arg-type]
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", HANDLERS, re.DOTALL | re.MULTILINE)
    assert str(caught.value) == shown
