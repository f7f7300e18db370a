"""`workers demo`: everything at work, on this machine."""

import click
from rich.console import Console

_PLAIN_WIDTH = 100


@click.command()
def demo() -> int:
    """See it all work: an embedded Step Functions, a worker, and a census of Python's standard library.

    Needs no AWS account, changes nothing, and stops what it started, also on Ctrl-C. Takes some seconds.

    \b
    Exit code: 0 everything succeeded, 1 something failed, 2 it could not start.
    """
    from workers.demo.demo import main

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    return main(console)
