"""`workers dev`: on each save, the machine runs anew."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click

from workers.cli.aws import on_account
from workers.cli.options import given, settings_options
from workers.cli.pages import pages
from workers.errors import MissingExtraError, UsageError
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.dev.plan import Input, Machine
    from workers.machines.registration.results import Change
    from workers.stepfunctions.account import Account

_OPTIONS = {
    "namespace": None,
    "account": "The AWS account.  [default: asked of STS]",
    "local_port": "The port of the embedded Step Functions, which is started if none answers there.",
    "payloads": None,
    "log_level": "Log of handlers from this level up.",
}


@click.command()
@click.argument("registry", metavar="MODULE:ATTRIBUTE", required=False)
@click.option("--machine", "machines", metavar="FILE", multiple=True, help="The machine to run; may be repeated.")
@click.option(
    "--input", "inputs", metavar="FILE|JSON", multiple=True, help="Its input: one for all machines, or one for each."
)
@click.option("--watch", metavar="PATH", multiple=True, help="A file or folder that matters too; may be repeated.")
@click.option("--aws", is_flag=True, help="Run on AWS, as AWS_PROFILE and the like say.  [default: embedded]")
@click.option("--role", metavar="ARN", help="On AWS, the machine's role.  [default: that of the registered machine]")
@click.option("--user", metavar="NAME", help="Whose registrations these are.  [default: who is logged in]")
@click.option("--standby", is_flag=True, help="Run nothing: keep workers up for executions that are started elsewhere.")
@click.option("--ui", is_flag=True, help="Serve the web page of executions, and print the address of each.")
@click.option("--clean", is_flag=True, help="Delete what killed loops of yours on this host left behind, and exit.")
@click.option(
    "--everywhere",
    is_flag=True,
    help="With --clean: also what loops of your user name on other hosts registered, running or not. Another container "
    "is another host, and its root has the name of yours.",
)
@settings_options(Settings, _OPTIONS)
def dev(
    registry: str | None,
    *,
    machines: tuple[str, ...],
    inputs: tuple[str, ...],
    watch: tuple[str, ...],
    aws: bool,
    role: str | None,
    user: str | None,
    standby: bool,
    ui: bool,
    clean: bool,
    everywhere: bool,
    **options: Any,
) -> int:
    """Run the machine in FILE with the handlers of the registry, again on each save, and show the result.

    Every save of a handler's module or of one that it imports, of the machine or of the input starts a fresh process
    with activities and a machine registered for this run alone: old code never answers, and nothing is left behind.

    \b
      workers dev handlers:registry --machine adder.yaml --input '{"x": 1, "y": 2}'

    \b
    Keys: r run again, i edit the input, p replay what failed, q quit.
    """
    local = {"local": not aws}
    if clean:
        return _clean(user, options | local, everywhere=everywhere)
    if everywhere:
        raise UsageError("--everywhere says what to delete: it goes with --clean")
    develop = _loop()
    from workers.dev.plan import Plan
    from workers.dev.view import View

    if not (registry and machines):
        raise UsageError("a registry and a machine are needed: workers dev MODULE:ATTRIBUTE --machine FILE")
    plan = Plan(
        target=registry,
        machines=_machines(machines, inputs),
        watch=tuple(map(_existing, watch)),
        settings=Settings(**given(options), **local),
        role=role,
        user=user,
        standby=standby,
    )
    anyio.run(partial(develop, plan, View(_console()), pages=pages if ui else None))
    return 0


def _loop() -> Any:
    try:
        from workers.dev.loop import develop
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the development loop", "dev") from error
    return develop


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _machines(files: tuple[str, ...], inputs: tuple[str, ...]) -> "tuple[Machine, ...]":
    from workers.dev.plan import Machine

    if len(inputs) not in {0, 1, len(files)}:
        raise UsageError(f"there are {len(inputs)} inputs for {len(files)} machines: give one for all, or one for each")
    texts = inputs * len(files) if len(inputs) == 1 else inputs or ("{}",) * len(files)
    return tuple(Machine(_existing(file), _input(text)) for file, text in zip(files, texts, strict=True))


def _input(text: str) -> "Input":
    from workers.dev.plan import Input

    try:
        return Input(json.loads(text))
    except (ValueError, RecursionError) as error:
        if not Path(text).is_file():
            raise UsageError(f"{text!r} is neither JSON ({error}) nor a file") from None
        return Input(file=Path(text))


def _existing(path: str) -> Path:
    if not Path(path).exists():
        raise UsageError(f"there is no {path}")
    return Path(path)


def _clean(user: str | None, options: dict[str, Any], *, everywhere: bool) -> int:
    from workers.reloaded.leftovers import clean
    from workers.reloaded.owner import Owner

    owner = Owner.current(user)

    async def work(account: "Account") -> "tuple[Change, ...]":
        return await clean(owner=owner, elsewhere=everywhere, account=account)

    changes = on_account(work, options)
    click.echo("\n".join(map(str, changes)) or "nothing was left behind")
    return 0
