"""`workers definitions`: the definitions of a workflow manager."""

import difflib
import json
from typing import TYPE_CHECKING, Any, Literal

import click

from workers.cli.aws import json_option, read_text
from workers.cli.managing import manager_options, on_manager, pairs
from workers.cli.output import moment, print_json, table
from workers.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workers.manager.client import Client
    from workers.manager.model import WorkflowDefinition


@click.group()
def definitions() -> None:
    """List, show, change, compare and delete workflow definitions.

    DEFINITION is NAME for the latest version, or NAME@VERSION.
    """


@definitions.command("list")
@json_option
@manager_options
def list_(*, as_json: bool, **options: Any) -> None:
    """List the latest version of every definition."""
    found = on_manager(lambda client: client.definitions(), options)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    rows = [
        (one.name, str(one.version), moment(one.created_at), "deprecated" if one.deprecated else "") for one in found
    ]
    table(("definition", "version", "created", ""), rows)


@definitions.command()
@click.argument("definition")
@click.option("--all", "all_", is_flag=True, help="All versions.")
@manager_options
def show(definition: str, *, all_: bool, **options: Any) -> None:
    """Show a definition, as JSON."""
    name, version = _split(definition)
    if all_:
        versions = on_manager(lambda client: client.definition_versions(name), options)
        print_json([one.to_json() for one in versions])
    else:
        print_json(on_manager(lambda client: client.definition(name, version), options).to_json())


@definitions.command()
@click.argument("name")
@click.argument("file")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag of its workflows; may be repeated.")
@click.option("--manager", type=click.Choice(["step-functions", "batch"]), default="step-functions", show_default=True,
              help="What runs it: with batch every state is a job of AWS Batch.")  # fmt: skip
@click.option("--input-schema", metavar="FILE", help="A JSON Schema, in JSON or YAML, that inputs must fit.")
@json_option
@manager_options
def put(
    name: str,
    file: str,
    *,
    tags: tuple[str, ...],
    manager: Literal["step-functions", "batch"],
    input_schema: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Create NAME with the state machine in FILE (- is stdin), or its next version if anything differs.

    FILE is YAML or JSON, in the Amazon States Language or its notation.
    """
    from pydantic import ValidationError

    from workers.manager.requests import NewWorkflowDefinition
    from workers.signatures import explain

    try:
        wanted = NewWorkflowDefinition(
            name=name,
            manager=manager,
            state_machine=read_text(file),
            default_tags=pairs(tags, "--tag"),
            input_schema=None if input_schema is None else _schema(input_schema),
        )
    except ValidationError as error:
        raise UsageError(explain(error)) from None
    made, kept = on_manager(lambda client: _put(client, wanted), options)
    if as_json:
        print_json(kept.to_json())
    else:
        click.echo(f"{name}@{kept.version}: {made}")


def _schema(file: str) -> Any:
    from workers.machines.loading import files

    found = files.read_text(read_text(file), name=file)
    if not found.readable or found.findings:
        said = "; ".join(f"line {found.line(one.where)}: {one.message}" for one in found.findings)
        raise UsageError(f"--input-schema {file}: {said}")
    return found.data


async def _put(client: "Client", wanted: Any) -> tuple[str, "WorkflowDefinition"]:
    """What was done, and the definition as it is then."""
    from workers.machines.definition import parse
    from workers.manager.errors import NotFoundError

    try:
        latest = await client.definition(wanted.name)
    except NotFoundError:
        return "created", await client.create_definition(wanted)
    same = latest.state_machine == parse(wanted.state_machine).data and latest.manager == wanted.manager
    beside = latest.default_tags == wanted.default_tags and latest.input_schema == wanted.input_schema
    if same and beside:
        return "is so already", latest
    return "created", await client.update_definition(wanted)


@definitions.command()
@click.argument("definition")
@click.argument("other")
@manager_options
def diff(definition: str, other: str, **options: Any) -> int:
    """Show what differs between DEFINITION and OTHER: a version of it, or a file. Exit code 1: something does."""
    from workers.cli.aws import is_file
    from workers.machines.definition import parse

    name, version = _split(definition)

    async def work(client: "Client") -> list[list[str]]:
        first = await client.definition(name, version)
        if is_file(other):
            return [_lines(first.state_machine), _lines(parse(read_text(other), name=other).data)]
        text = other if "@" in other or not other.isdecimal() else f"{name}@{other}"
        second = await client.definition(*_split(text))
        return [_lines(one.state_machine) + _lines(one.input_schema) for one in (first, second)]

    before, after = on_manager(work, options)
    lines = list(difflib.unified_diff(before, after, definition, other, lineterm=""))
    for line in lines:
        click.echo(line)
    return ExitCode.FAULT if lines else ExitCode.OK


@definitions.command()
@click.argument("definition")
@click.option("--undo", is_flag=True, help="Take it back.")
@manager_options
def deprecate(definition: str, *, undo: bool, **options: Any) -> None:
    """Let nothing new be started with DEFINITION: with NAME, none of its versions."""
    name, version = _split(definition)
    on_manager(lambda client: client.deprecate_definition(name, version, deprecated=not undo), options)
    click.echo(f"{definition}: {'not deprecated any more' if undo else 'deprecated'}")


@definitions.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@manager_options
def delete(name: str, *, yes: bool, **options: Any) -> None:
    """Delete NAME with all its versions. There must be no workflows of it."""
    if not yes:
        click.confirm(f"Delete all versions of {name}?", abort=True, err=True)
    on_manager(lambda client: client.delete_definition(name), options)
    click.echo(f"{name}: deleted")


def _split(definition: str) -> tuple[str, int | None]:
    """The name and the version in NAME@VERSION."""
    name, at, version = definition.rpartition("@")
    return (name, int(version)) if at and version.isdecimal() else (definition, None)


def _lines(document: Any) -> list[str]:
    return [] if document is None else json.dumps(document, indent=2, ensure_ascii=False).splitlines()
