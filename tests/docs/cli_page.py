"""The page of the command line, made from its parsers. `python -m tests.docs.tables` writes it anew."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

from tests.docs.log_events import ROOT
from workers.cli.main import cli
from workers.settings import Settings

PAGE = ROOT / "docs" / "reference" / "cli.md"
HEAD = """# Command line

Every command and every option, as `--help` tells them. A flag wins over its variable, a variable over the default.
Exit codes: 0 fine, 1 a fault or a failure, 2 bad input, 3 ended by force with work left, 130 Ctrl-C at a question.

"""
WHERE = ("namespace", "account", "local", "local_port")
_WHERE_NOTE = "Where Step Functions is, is said as everywhere: `--namespace`, `--account`, `--local`, `--local-port`."


def text() -> str:
    """The page."""
    context = click.Context(cli, info_name="workers")
    return HEAD + "\n".join(_command(cli, context, ["workers"])).rstrip() + "\n"


def _command(command: click.Command, context: click.Context, path: list[str]) -> Iterator[str]:
    yield f"{'##' if len(path) <= 2 else '###'} `{' '.join(path)}`"
    yield ""
    words = " ".join([*path, *command.collect_usage_pieces(context)])
    yield f"```text\n{words}\n```"
    yield ""
    yield from _prose(command.help or "")
    yield from _options(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from _command(inner, click.Context(inner, info_name=name, parent=context), [*path, name])


def _prose(help_text: str) -> Iterator[str]:
    """Paragraphs; those that keep their lines, after a \\b, as a block where they are indented."""
    for paragraph in inspect.cleandoc(help_text).replace("\f", "").split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() != "\b":
            yield _plain(" ".join(line.strip() for line in lines))
        else:
            yield from _kept(lines[1:])
        yield ""


def _kept(lines: list[str]) -> Iterator[str]:
    said = [line for line in lines if not line.startswith(" ")]
    block = [line for line in lines if line.startswith(" ")]
    if said:
        yield _plain(" ".join(said))
    if block:
        yield "\n```text" if said else "```text"
        yield from block
        yield "```"


def _options(command: click.Command) -> Iterator[str]:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    names = {str(one.name) for one in options}
    brief = set(WHERE) <= names and command.name not in {"run", "exec"}
    shown = [one for one in options if not (brief and one.name in WHERE)]
    if shown:
        yield "| Option | Variable | Default | Meaning |"
        yield "|---|---|---|---|"
        yield from (_row(one) for one in shown)
        yield ""
    if brief:
        yield f"{_WHERE_NOTE}\n"


def _row(option: click.Option) -> str:
    names = " / ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    metavar = "" if option.is_flag else f" `{_metavar(option)}`"
    meaning, variable, default = _said(option)
    cells = (f"{names}{metavar}", variable, default, _plain(meaning))
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _metavar(option: click.Option) -> str:
    kind: Any = option.type
    if option.metavar:
        return option.metavar.replace("|", "\\|")
    return "\\|".join(kind.choices) if isinstance(kind, click.Choice) else kind.name.upper().replace(" RANGE", "")


def _said(option: click.Option) -> tuple[str, str, str]:
    """The meaning, the variable and the default; settings tell the latter two in their help."""
    help_text = str(option.help or "")
    brackets = re.findall(r" +\[([^\]]*)\](?=$| )", help_text)
    meaning = re.split(r" {2}\[", help_text)[0]
    default = next((one.removeprefix("default: ") for one in brackets if one.startswith("default: ")), "")
    variable = next((one for one in brackets if one.startswith("WORKERS_")), "")
    variable = variable or (option.envvar if isinstance(option.envvar, str) else "")
    if not default and option.show_default and option.default is not None and not option.is_flag:
        default = f"`{option.default}`"
    if option.secondary_opts and _is_on(str(option.name)):
        default = "on"
    if option.required:
        default = "required"
    return meaning, f"`{variable}`" if variable else "", default


def _is_on(name: str) -> bool:
    """Whether a setting that is a switch is on by default."""
    return name in Settings.model_fields and Settings.model_fields[name].default is True


def _plain(words: str) -> str:
    """Words in which Markdown sees nothing of its own."""
    return re.sub(r"([<>*|])", r"\\\1", words) if "`" not in words else words.replace("|", "\\|")
