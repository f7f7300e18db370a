"""What the sentences of the pages name exists: flags, variables, metrics, errors, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.deploy.files import TEXTS
from tests.docs.log_events import log_events
from tests.docs.tables import manager_metrics_rows
from tests.docs.test_blocks import PAGES, ROOT
from workers.cli.main import cli
from workers.errors import ErrorName
from workers.metrics import METRICS
from workers.variables import unknown_variables

OTHERS = {"migrate-from-sfncli.md", "migrate-from-stepwise.md", "migrate-from-workflow-manager.md"}
"""Pages that name the flags of other programs."""
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its blocks, whose commands are checked as such."""
    return CODE.sub("", page.read_text())


def flags(command: click.Command = cli) -> Iterator[str]:
    """Every flag of every command."""
    for option in command.params:
        yield from (*option.opts, *option.secondary_opts)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from flags(found)


FLAGS = {*flags(), "--help", "--build-arg"}  # the last one is of `docker build`
NAMES = {metric.name for metric in METRICS} | {row[0].strip("`") for row in manager_metrics_rows()}
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@by_page
def test_flags_are_taken_by_some_command(page: Path):
    named = set(re.findall(r"`(--[a-z][a-z-]+)", prose(page)))
    assert page.name in OTHERS or named - FLAGS == set()


@by_page
def test_variables_are_read(page: Path):
    assert unknown_variables(set(re.findall(r"\bWORKERS_[A-Z_]+[A-Z]\b", page.read_text()))) == []


@by_page
def test_metrics_are_counted(page: Path):
    named = set(re.findall(r"`(workers_[a-z_]+)", page.read_text()))
    assert {one for one in named if not {one, re.sub(r"_(bucket|sum|count)$", "", one)} & NAMES} == set()


@by_page
def test_errors_are_sent(page: Path):
    assert set(re.findall(r"\bWorker\.[A-Z]\w+", page.read_text())) - {str(name) for name in ErrorName} == set()


@by_page
def test_files_are_there(page: Path):
    named = set(re.findall(r"`((?:deploy|examples|benchmarks|interceptors|tests|workers)/[\w./-]+)`", prose(page)))
    assert {one for one in named if not (ROOT / one).exists()} == set()


def test_log_lines_that_are_quoted_are_written():
    quoted = re.compile(r"`([a-z][a-z ]+)` in the (?:worker's )?log|\blogs?(?: says)? `([a-z][a-z ]+)`")
    texts = [*(page.read_text() for page in PAGES), *TEXTS.values()]
    said = {one or other for text in texts for one, other in quoted.findall(" ".join(text.split()))}
    assert {"event loop blocked", "polling paused", "task closed"} <= said
    assert said - {event.name for event in log_events()} == set()
