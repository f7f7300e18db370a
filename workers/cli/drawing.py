"""Pictures: on the terminal, or in a file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from workers.errors import UsageError
from workers.machines.pictures import draw, draw_tree

_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".txt": "tree"}


def print_drawing(
    definition: Path | Mapping[str, Any],
    form: str,
    output: str | None,
    *,
    title: str,
    history: Iterable[Mapping[str, Any]] | None = None,
) -> None:
    """Prints the picture of a definition, or writes it to the file `output`, whose ending then says the form."""
    if output is None and form == "tree":
        Console().print(draw_tree(definition, history=history, title=title))
        return
    if output is not None:
        form = _ENDINGS.get(Path(output).suffix, form)
    if form == "tree":
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


def _plain(tree: Any) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(tree)
    return captured.get()
