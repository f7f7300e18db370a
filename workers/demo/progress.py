"""How far the demo is: a bar on a terminal, a few lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINES = 4


@contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """Gives a function to be called with the name of each of `total` packages when it has been counted."""
    if console.is_terminal:
        columns = (
            TextColumn("Counting"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=total)
            yield lambda name: bar.update(task, advance=1, description=name)
            bar.update(task, description="")
        return
    done = 0

    def counted(name: str) -> None:
        nonlocal done
        done += 1
        if done * _LINES // total > (done - 1) * _LINES // total:
            console.print(f"counted {done} of {total} packages, {name} the latest")

    yield counted
