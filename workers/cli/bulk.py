"""`workers executions stop` and `redrive`: one execution, some, or all that are meant."""

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from workers.cli.aws import aws_options, json_option, on_account
from workers.cli.durations import duration
from workers.cli.output import moment, print_json
from workers.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workers.executions.bulk import Step, Summary
    from workers.executions.execution import Execution
    from workers.stepfunctions.account import Account

_REDRIVABLE = ["FAILED", "TIMED_OUT", "ABORTED"]


def _many(command: Any) -> Any:
    """The options that select executions in bulk."""
    for option in reversed(
        [
            click.option("--machine", metavar="MACHINE", help="All of this machine, as far as the options below say."),
            click.option(
                "--older-than", type=duration, metavar="AGE", help="Started longer ago than 90s, 15m, 2h, 3d."
            ),
            click.option("--newer-than", type=duration, metavar="AGE", help="Started less long ago."),
            click.option("--state", metavar="STATE", help="In this state; * stands for anything."),
            click.option("--rate", type=float, default=10.0, show_default=True, help="So many a second, at most."),
            click.option("--dry-run", is_flag=True, help="Only say what would be done."),
            click.option("--journal", metavar="FILE", help="Note what is done; with the same file, go on there."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@click.argument("executions", metavar="[EXECUTION]...", nargs=-1)
@click.option("--error", help="The error that they are shown to have ended with.")
@click.option("--cause", help="The reason, in words.")
@_many
@json_option
@aws_options
def stop(executions: tuple[str, ...], *, error: str | None, cause: str | None, as_json: bool, **options: Any) -> int:
    """Stop executions that run: those named, or with --machine all of a machine.

    Ctrl-C ends a bulk stop at any time; called again, it goes on with what still runs.
    """
    from workers.executions.bulk import stop_executions
    from workers.executions.control import stop_execution
    from workers.executions.waiting import describe_execution

    if executions:
        _only_named(options)

        async def one(execution: str, account: "Account") -> str:
            if (await describe_execution(execution, account=account)).status.ended:
                return "ended before"
            await stop_execution(execution, error=error, cause=cause, account=account)
            return "stopped"

        return _named(executions, one, options, as_json=as_json)
    many = functools.partial(stop_executions, error=error, cause=cause)
    return _bulk(many, options, as_json=as_json, did="stopped")


@click.command()
@click.argument("executions", metavar="[EXECUTION]...", nargs=-1)
@click.option("--wait", is_flag=True, help="Follow the one execution to its new end.")
@click.option("--status", type=click.Choice(_REDRIVABLE, case_sensitive=False), multiple=True, help="In bulk: that "
              "ended so; may be repeated.  [default: FAILED and TIMED_OUT]")  # fmt: skip
@click.option("--error", help="In bulk: that failed with this error; * stands for anything.")
@_many
@json_option
@aws_options
def redrive(
    executions: tuple[str, ...],
    *,
    wait: bool,
    status: tuple[str, ...],
    error: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Continue executions that failed, from where they ended: those named, or with --machine all of a machine.

    In bulk, what fails again is redriven again by the next call, unless a --journal says that it was done.
    """
    from workers.executions.bulk import REDRIVABLE, redrive_executions
    from workers.executions.control import redrive_execution
    from workers.executions.execution import Status

    if wait and len(executions) != 1:
        raise UsageError("--wait follows one execution: name just that one")
    if executions:
        _only_named(options, error=error, status=status)
        if wait:
            return _redrive_and_wait(executions[0], options, as_json=as_json)

        async def one(execution: str, account: "Account") -> str:
            await redrive_execution(execution, account=account)
            return "redriven"

        return _named(executions, one, options, as_json=as_json)
    many = functools.partial(redrive_executions, statuses=tuple(map(Status, status)) or REDRIVABLE)
    return _bulk(many, options, as_json=as_json, did="redriven", error=error)


def _redrive_and_wait(execution: str, options: dict[str, Any], *, as_json: bool) -> int:
    from workers.cli.ends import print_end
    from workers.cli.live import watched
    from workers.executions.control import redrive_execution
    from workers.executions.waiting import wait_for_execution

    async def work(account: "Account") -> "Execution":
        since = await redrive_execution(execution, account=account)
        with watched(wanted=not as_json) as watching:
            return await wait_for_execution(execution, redriven=since, watching=watching, account=account)

    return print_end(on_account(work, options), as_json=as_json)


def _named(
    executions: tuple[str, ...],
    act: Callable[[str, "Account"], Awaitable[str]],
    options: dict[str, Any],
    *,
    as_json: bool,
) -> int:
    """Does it to one after the other, and says of each what became of it: also when a later one is refused."""
    done: dict[str, list[str]] = {}

    async def work(account: "Account") -> None:
        for execution in executions:
            did = await act(execution, account)
            done.setdefault(did.replace(" ", "_"), []).append(execution)
            if not as_json:
                click.echo(f"{execution}: {did}")

    try:
        on_account(work, options)
    finally:
        if as_json and done:
            print_json(done)
    return ExitCode.OK


_MANY = ("machine", "older_than", "newer_than", "state", "journal")


def _only_named(options: dict[str, Any], **others: Any) -> None:
    """Refuses options that select in bulk, and takes them out."""
    selecting = {name: options.pop(name) for name in _MANY} | others
    dry = options.pop("dry_run")
    options.pop("rate")
    given = [name for name, value in selecting.items() if value] + ["dry_run"] * dry
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{flags} select among the executions of a machine: name executions, or give --machine")


def _bulk(
    many: Callable[..., Any], options: dict[str, Any], *, as_json: bool, did: str, error: str | None = None
) -> int:
    from workers.executions.bulk import Did
    from workers.executions.selection import Selection

    machine, older, newer, state, journal = (options.pop(name) for name in _MANY)
    rate, dry_run = options.pop("rate"), options.pop("dry_run")
    if machine is None:
        raise UsageError("which executions? Name them, or give --machine for those of a machine")
    selection = Selection(machine=machine, older_than=older, newer_than=newer, state=state, error=error)
    steps: list[Step] = []

    def progress(step: "Step") -> None:
        steps.append(step)
        if not as_json:
            click.echo(_line(step, did))

    async def work(account: "Account") -> "Summary":
        summary: Summary = await many(
            selection, rate=rate, dry_run=dry_run, journal=journal, progress=progress, account=account
        )
        return summary

    summary = on_account(work, options)
    if as_json:
        print_json({"summary": summary.to_json(), "executions": [step.to_json() for step in steps]})
    else:
        counts = [f"{count} {_word(one, did)}" for one, count in summary.counts.items() if count]
        click.echo(f"{summary.looked_at} looked at: {', '.join(counts) or 'nothing to do'}")
    return ExitCode.FAULT if summary.counts[Did.REFUSED] else ExitCode.OK


def _line(step: "Step", did: str) -> str:
    found = step.execution
    where = f" in {found.failed_state}" if found.failed_state else ""
    why = step.reason or found.error
    return (
        f"{found.name}: {_word(step.did, did)} ({found.status}{where}, started {moment(found.started)})"
        f"{f': {why}' if why else ''}"
    )


def _word(one: Any, did: str) -> str:
    from workers.executions.bulk import Did

    return {Did.DONE: did, Did.WOULD: f"would be {did}", Did.SKIPPED: f"{did} before"}.get(one, str(one))
