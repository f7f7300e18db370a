"""Pictures: on the terminal, or in a file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from workers.cli.aws import json_option
from workers.cli.output import compact
from workers.errors import UsageError

_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".txt": "tree", ".json": "json"}


def drawing_options(command: Any) -> Any:
    """The options that say how and where to draw; `print_drawing` takes them as `form`, `output` and `as_json`."""
    for option in (
        json_option,
        click.option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"Write it to FILE; its ending says the format: {', '.join(_ENDINGS)}.",
        ),
        click.option("--format", "form", type=click.Choice(["tree", "mermaid", "svg"]), help="[default: tree]"),
    ):
        command = option(command)
    return command


def print_drawing(
    definition: Path | Mapping[str, Any],
    form: str | None,
    output: str | None,
    *,
    title: str,
    as_json: bool = False,
    history: Iterable[Mapping[str, Any]] | None = None,
) -> None:
    """Prints the picture of a definition, or writes it to the file `output`.

    Where no form is said, the ending of the file says it. Raises `UsageError`, `InvalidDefinitionError`.
    """
    from rich.console import Console

    from workers.machines.pictures import draw, draw_data, draw_tree

    form = _form(form, output, as_json=as_json)
    if output is None and form == "tree":
        Console().print(draw_tree(definition, history=history, title=title))
        return
    if form == "json":
        text = compact(draw_data(definition, history=history), indent=2)
    elif form == "tree":
        text = _plain(draw_tree(definition, history=history, title=title))
    else:
        text = draw(definition, "svg" if form == "svg" else "mermaid", history=history, title=title)
    if output is None:
        click.echo(text.rstrip())
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"{output}: written", err=True)


def _form(form: str | None, output: str | None, *, as_json: bool) -> str:
    if form and as_json:
        raise UsageError(f"--format {form} and --json are two formats: choose one")
    if form or as_json or output is None:
        return form or ("json" if as_json else "tree")
    ending = Path(output).suffix.lower()
    if ending not in _ENDINGS:
        raise UsageError(f"{output} does not say its format: end it with {', '.join(_ENDINGS)}, or give --format")
    return _ENDINGS[ending]


def _plain(tree: Any) -> str:
    from rich.console import Console

    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(tree)
    return captured.get()
