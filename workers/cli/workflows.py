"""`workers workflows`: the workflows of a workflow manager."""

from typing import TYPE_CHECKING, Any

import click

from workers.cli.aws import json_option, read_text
from workers.cli.following import follow_workflow, print_workflow
from workers.cli.managing import manager_options, on_manager, pairs
from workers.cli.many import cancel, refresh
from workers.cli.output import moment, print_json, table
from workers.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workers.manager.client import Client
    from workers.manager.model import Workflow, WorkflowSummary

STATUSES = ["queued", "running", "failed", "succeeded", "cancelled"]
key_option = click.option("--key", help="An idempotency key: the same for the same request starts one workflow.")
follow_option = click.option("--follow", is_flag=True, help="Follow it to its end; exit code 1 if it does not succeed.")


@click.group()
def workflows() -> None:
    """Start, follow, list, cancel, resume and redrive workflows.

    \b
    Exit code: 0 fine, 1 a workflow did not succeed, 2 bad input.
    """


workflows.add_command(cancel)
workflows.add_command(refresh)


@workflows.command()
@click.argument("definition")
@click.argument("text", metavar="[INPUT]", required=False)
@click.option("--input-file", metavar="FILE", help="Read the input from a file; - is stdin.")
@click.option("--version", type=int, help="The version of the definition.  [default: the latest]")
@click.option("--namespace", default="", help="Goes before the names of what its tasks call.")
@click.option("--queue", default="default", show_default=True, help="The queue in which it waits.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag; may be repeated.")
@key_option
@follow_option
@json_option
@manager_options
def start(definition: str, text: str | None, *, follow: bool, as_json: bool, **options: Any) -> int:
    """Start a workflow of DEFINITION. INPUT is a JSON object; without it, an empty one."""
    if text is not None and options["input_file"]:
        raise UsageError("the input is given twice: on the line and with --input-file")
    given = read_text(options["input_file"]) if options["input_file"] else text or ""

    async def work(client: "Client") -> "Workflow":
        started = await client.start_workflow(
            definition,
            given,
            version=options["version"],
            namespace=options["namespace"],
            queue=options["queue"],
            tags=pairs(options["tags"], "--tag"),
            idempotency_key=options["key"],
        )
        return await follow_workflow(client, started, quiet=as_json) if follow else started

    return _ended(on_manager(work, options), options["url"], follow=follow, as_json=as_json)


@workflows.command()
@click.argument("workflow_id", metavar="ID")
@click.option("--full", is_flag=True, help="With its jobs, read from the history.")
@follow_option
@json_option
@manager_options
def show(workflow_id: str, *, full: bool, follow: bool, as_json: bool, **options: Any) -> int:
    """Show a workflow: what went in and came out, and if it failed, where and why."""

    async def work(client: "Client") -> "Workflow":
        found = await client.workflow(workflow_id, history=full and not follow)
        if follow:
            found = await follow_workflow(client, found, quiet=as_json)
            return await client.workflow(workflow_id, history=True) if full else found
        return found

    found = on_manager(work, options)
    if as_json:
        print_json(found.to_json())
    else:
        print_workflow(found, options["url"], full=full)
    return _code(found) if follow else ExitCode.OK


@workflows.command("list")
@click.option("--definition", help="Only of this definition.")
@click.option("--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="Any of these; may be repeated.")
@click.option("--unresolved", is_flag=True, help="Only those that somebody should look at.")
@click.option("--namespace", help="Only in this namespace.")
@click.option("--queue", help="Only in this queue.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Only with this tag; may be repeated.")
@click.option("--id", "part", metavar="PART", help="Only with this text in the id.")
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many at most.")
@json_option
@manager_options
def list_(*, limit: int, as_json: bool, **options: Any) -> None:
    """List workflows, the newest first."""
    from workers.manager.model import Query, Status

    query = Query(
        workflow_definition_name=options["definition"],
        status=tuple(Status(one) for one in options["statuses"]),
        resolved_by_user=False if options["unresolved"] else None,
        namespace=options["namespace"],
        queue=options["queue"],
        tags=pairs(options["tags"], "--tag"),
        id_contains=options["part"],
        oldest_first=options["oldest_first"],
        limit=min(limit, 500),
    )

    async def work(client: "Client") -> "list[WorkflowSummary]":
        found: list[WorkflowSummary] = []
        async for one in client.all_workflows(query):
            found.append(one)
            if len(found) == limit:
                break
        return found

    found = on_manager(work, options)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    table(("workflow", "definition", "status", "started", "last job"), map(_row, found))


@workflows.command()
@click.argument("workflow_id", metavar="ID")
@click.argument("state")
@key_option
@follow_option
@json_option
@manager_options
def resume(workflow_id: str, state: str, *, key: str | None, follow: bool, as_json: bool, **options: Any) -> int:
    """Start a workflow that goes on at STATE of one that has ended, with the input that the state had there."""

    async def work(client: "Client") -> "Workflow":
        resumed = await client.resume_workflow(workflow_id, state, idempotency_key=key)
        return await follow_workflow(client, resumed, quiet=as_json) if follow else resumed

    return _ended(on_manager(work, options), options["url"], follow=follow, as_json=as_json)


@workflows.command()
@click.argument("workflow_ids", metavar="ID...", nargs=-1, required=True)
@manager_options
def resolve(workflow_ids: tuple[str, ...], **options: Any) -> None:
    """Say that nobody need look at workflows any more."""

    async def work(client: "Client") -> None:
        for one in workflow_ids:
            await client.resolve_workflow(one)
            click.echo(f"{one}: resolved")

    on_manager(work, options)


@workflows.command()
@click.argument("workflow_id", metavar="ID")
@click.option("--key", help="An idempotency key: the same for the same request redrives once.")
@follow_option
@json_option
@manager_options
def redrive(workflow_id: str, *, key: str | None, follow: bool, as_json: bool, **options: Any) -> int:
    """Let a workflow that failed or was cancelled go on where it ended."""

    async def work(client: "Client") -> "Workflow":
        redriven = await client.redrive_workflow(workflow_id, idempotency_key=key)
        return await follow_workflow(client, redriven, quiet=as_json) if follow else redriven

    return _ended(on_manager(work, options), options["url"], follow=follow, as_json=as_json)


def _ended(found: "Workflow", url: str, *, follow: bool, as_json: bool) -> int:
    """Prints a workflow that was begun, and the exit code."""
    if as_json:
        print_json(found.to_json())
    elif follow:
        print_workflow(found, url)
    else:
        click.echo(found.id)
    return _code(found) if follow else ExitCode.OK


def _code(found: "Workflow") -> int:
    return ExitCode.OK if found.status == "succeeded" else ExitCode.FAULT


def _row(one: "WorkflowSummary") -> tuple[str, ...]:
    definition = one.workflow_definition
    job = one.last_job.state if one.last_job else ""
    return one.id, f"{definition.name}@{definition.version}", str(one.status), moment(one.created_at), job
