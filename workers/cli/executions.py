"""`workers executions`: start, follow, list, stop and redrive executions."""

import json
from typing import TYPE_CHECKING, Any

import click

from workers.cli.aws import aws_options, is_file, json_option, on_account, read_text
from workers.cli.bulk import redrive, stop
from workers.cli.drawing import drawing_options, print_drawing
from workers.cli.ends import print_end
from workers.cli.output import compact, duration, moment, print_json, table
from workers.cli.pages import link, open_page
from workers.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workers.executions.execution import Execution
    from workers.stepfunctions.account import Account

_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]


@click.group()
def executions() -> None:
    """Start, follow, list, stop and redrive executions.

    MACHINE is the name of a machine; also NAME:VERSION, NAME:ALIAS, or an ARN. EXECUTION is MACHINE:NAME or an ARN.

    \b
    Exit code: 0 fine, 1 an execution failed, 2 bad input.
    """


@executions.command()
@click.argument("machine")
@click.argument("text", metavar="[INPUT]", required=False)
@click.option("--input-file", metavar="FILE", help="Read the input from a file; - is stdin.")
@click.option("--name", help="The name of the execution, unique for 90 days.  [default: a random one]")
@click.option("--wait", is_flag=True, help="Follow it to its end; print its output.")
@click.option(
    "--payloads", metavar="URL", envvar="WORKERS_PAYLOADS", help="Store for a large input, as in s3://bucket."
)
@click.option("--traceparent", is_flag=True, help="Begin a trace, and put its traceparent into the input.")
@json_option
@aws_options
def start(
    machine: str,
    text: str | None,
    *,
    input_file: str | None,
    name: str | None,
    wait: bool,
    payloads: str | None,
    traceparent: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Start an execution of MACHINE. INPUT is JSON; without it, an empty object.

    With --wait, a terminal shows the states as they run; stdout has the output alone.
    """
    from workers.cli.live import watched
    from workers.executions.start import NO_INPUT, start_execution

    given = _input(text, input_file)

    async def work(account: "Account") -> "Execution":
        with watched(wanted=wait and not as_json) as watching:
            return await start_execution(
                machine,
                NO_INPUT if given is None else given[0],
                name=name,
                wait=wait,
                payloads=payloads,
                traceparent=traceparent,
                watching=watching,
                account=account,
            )

    try:
        found = on_account(work, options)
    except KeyboardInterrupt:
        if wait:
            click.echo(f"what was started runs on: see `workers executions list {machine}`", err=True)
        raise
    if wait:
        return print_end(found, as_json=as_json)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(found.arn)
        if page := link(found.arn):
            click.echo(page, err=True)
    return ExitCode.OK


@executions.command("list")
@click.argument("machine")
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only those with this status.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@json_option
@aws_options
def list_(machine: str, *, status: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """List the executions of a machine, the newest first."""
    from workers.executions.listing import list_executions

    async def work(account: "Account") -> "list[Execution]":
        found = []
        async for execution in list_executions(machine, status=status, account=account):
            found.append(execution)
            if len(found) == limit:
                break
        return found

    found = on_account(work, options)
    if as_json:
        print_json([execution.to_json() for execution in found])
        return
    rows = [(one.name, str(one.status), moment(one.started), duration(one.seconds)) for one in found]
    table(("execution", "status", "started", "took"), rows)


@executions.command()
@click.argument("execution")
@click.option("--open", "opens", is_flag=True, help="Open its page in the browser; serve one where none is known.")
@json_option
@aws_options
def show(execution: str, *, opens: bool, as_json: bool, **options: Any) -> None:
    """Show an execution: what went in and came out, and if it failed, where and why.

    WORKERS_EXECUTIONS_UI says where a web page is, as in http://127.0.0.1:8084/ui.
    """
    from workers.executions.waiting import describe_execution

    async def work(account: "Account") -> "Execution":
        found = await describe_execution(execution, account=account)
        if opens:
            await open_page(account, found.arn)
        return found

    found = on_account(work, options)
    if opens:
        return
    if as_json:
        print_json(found.to_json())
    else:
        _print_execution(found)


@executions.command()
@click.argument("execution")
@drawing_options
@aws_options
def graph(execution: str, *, form: str | None, output: str | None, as_json: bool, **options: Any) -> None:
    """Draw an execution on its machine: what passed, failed, was caught, and was not taken."""
    from workers.executions.drawing import Drawn, drawn

    async def work(account: "Account") -> Drawn:
        return await drawn(execution, account=account)

    found = on_account(work, options)
    print_drawing(found.definition, form, output, title=found.title, as_json=as_json, history=found.history)


@executions.command()
@click.argument("execution")
@click.option("--newest-first", is_flag=True, help="Begin at the end.")
@click.option("--no-data", is_flag=True, help="Leave inputs and outputs out.")
@json_option
@aws_options
def history(execution: str, *, newest_first: bool, no_data: bool, as_json: bool, **options: Any) -> None:
    """Show the events of an execution. Long details are cut; --json has them whole."""
    from workers.executions.history import execution_history
    from workers.histories.event import Event

    async def work(account: "Account") -> list[Event]:
        events = execution_history(execution, newest_first=newest_first, data=not no_data, account=account)
        return [event async for event in events]

    found = on_account(work, options)
    if as_json:
        print_json([event.to_json() for event in found])
        return
    for event in found:
        details = compact(dict(event.details)) if event.details else ""
        line = f"{event.id:>5}  {event.at.astimezone():%H:%M:%S.%f}  {event.type:<28} {details}".rstrip()
        click.echo(line if len(line) <= 300 else f"{line[:300]}…")


executions.add_command(stop)
executions.add_command(redrive)


def _input(text: str | None, file: str | None) -> tuple[Any] | None:
    """The input that was given, in a tuple, for it may be null; None where none was."""
    if text is not None and file is not None:
        raise UsageError("the input is given twice: as an argument and as --input-file")
    if file is not None:
        text = read_text(file)
    if text is None:
        return None
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError) as error:
        place = "the input" if file is None else file
        hint = f": --input-file {text} reads it from there" if file is None and _is_place(text) else ""
        raise UsageError(f"{place} is no JSON: {error}{hint}") from None


def _is_place(text: str) -> bool:
    """Whether what should be JSON looks like where the JSON is."""
    return text == "-" or (len(text) < 256 and is_file(text))


def _print_execution(execution: "Execution") -> None:
    rows = {
        "name": execution.name,
        "arn": execution.arn,
        "machine": execution.alias or execution.version or execution.state_machine,
        "status": str(execution.status),
        "started": moment(execution.started),
        "took": duration(execution.seconds),
        "redrives": str(execution.redrives) if execution.redrives else None,
        "failed in": execution.failed_state,
        "error": execution.error,
        "cause": execution.message or None,
        "input": compact(execution.input),
        "output": compact(execution.output) if execution.succeeded else None,
        "page": link(execution.arn),
    }
    for name, value in rows.items():
        if value is not None:
            click.echo(f"{name:<9}  {value}")
    if isinstance(execution.cause, dict) and isinstance(trace := execution.cause.get("stackTrace"), list):
        click.echo("\n".join(map(str, trace)))
