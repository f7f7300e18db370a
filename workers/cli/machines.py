"""`workers machines`: state machines, from a file to an account and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workers.cli.aws import aws_options, is_file, json_option, named_place, on_account, problems_exit_1, read_text
from workers.cli.drawing import drawing_options, print_drawing
from workers.cli.options import given
from workers.cli.output import moment, print_json, table
from workers.errors import ExitCode, UsageError
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.stepfunctions.account import Account


@click.group()
def machines() -> None:
    """Validate, register, compare, draw and delete state machines.

    A FILE is YAML or JSON, in the short notation or in the Amazon States Language. NAME is that of a machine as it is
    registered; also NAME:VERSION, NAME:ALIAS, or an ARN.

    \b
    Exit code: 0 fine, 1 problems, 2 bad input.
    """


def _registration_options(command: Any) -> Any:
    """The options of `put` and `diff`: what may be said beside the definition."""
    for option in reversed(
        [
            click.option("--name", help="The machine's name.  [default: the file's, without its ending]"),
            click.option("--role", metavar="ARN", help="The role that the machine takes."),
            click.option("--log-level", type=click.Choice(["ALL", "ERROR", "FATAL", "OFF"]), help="What is logged."),
            click.option("--log-group", metavar="NAME", help="The log group (name or ARN), which has to exist."),
            click.option("--log-data", is_flag=True, help="Log inputs and outputs too."),
            click.option("--tracing/--no-tracing", default=None, help="Trace executions with X-Ray."),
            click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Set a tag; may be repeated."),
        ]
    ):
        command = option(command)
    return command


@machines.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Warnings are problems too.")
@json_option
def validate(files: tuple[str, ...], *, strict: bool, as_json: bool) -> int:
    """Say all that is wrong with a definition, without AWS."""
    from workers.machines import Severity
    from workers.machines import validate as judge

    found = {file: judge(Path(file)) for file in files}
    problems = [(file, problem) for file, judged in found.items() for problem in judged]
    if as_json:
        print_json(
            [
                {
                    "file": file,
                    "line": problem.line,
                    "path": problem.path,
                    "severity": str(problem.severity),
                    "code": problem.code,
                    "message": problem.message,
                }
                for file, problem in problems
            ]
        )
    else:
        for file, problem in problems:
            click.echo(f"{file}: {problem}")
        for file in [file for file, judged in found.items() if not judged]:
            click.echo(f"{file}: fine")
    return ExitCode.FAULT if any(strict or one.severity is Severity.ERROR for _, one in problems) else ExitCode.OK


@machines.command()
@click.argument("file", metavar="FILE")
@_registration_options
@click.option("--create-role", is_flag=True, help="Make a role that allows what the definition uses, and keep it so.")
@click.option("--express/--standard", default=None, help="The type of a new machine.  [default: standard]")
@click.option("--publish", is_flag=True, help="Publish a version.")
@click.option("--alias", metavar="NAME", help="Publish a version, and make the alias NAME route to it.")
@json_option
@aws_options
@problems_exit_1
def put(
    file: str,
    *,
    name: str | None,
    create_role: bool,
    express: bool | None,
    publish: bool,
    alias: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Register the machine in FILE with its activities: create it, or update what differs.

    What is not said stays as it is registered.
    """
    from workers.machines.definition import load
    from workers.machines.registration.ensure import ensure_state_machine

    said = _said(options)
    definition = load(Path(file))
    result = on_account(
        lambda account: ensure_state_machine(
            name or Path(file).stem,
            definition,
            create_role=create_role,
            express=express,
            publish=publish,
            alias=alias,
            account=account,
            **said,
        ),
        options,
    )
    for problem in definition.problems:
        click.echo(f"{file}: {problem}", err=True)
    if as_json:
        print_json(result.to_json())
        return
    for change in result.changes:
        click.echo(str(change))
    if not result.changes:
        click.echo("nothing to change")
    click.echo(result.version or result.arn)


@machines.command()
@click.argument("file", metavar="FILE")
@_registration_options
@json_option
@aws_options
@problems_exit_1
def diff(file: str, *, name: str | None, as_json: bool, **options: Any) -> int:
    """Say what `put` would change, and change nothing.

    \b
    Exit code: 0 nothing differs, 1 something does, 2 bad input.
    """
    from workers.machines.registration.difference import diff as compare

    said = _said(options)
    found = on_account(lambda account: compare(name or Path(file).stem, Path(file), account=account, **said), options)
    if as_json:
        print_json(found.to_json())
    else:
        for line in (*map(str, found.changes), *found.lines):
            click.echo(line)
    return ExitCode.FAULT if found else ExitCode.OK


@machines.command()
@click.argument("name")
@click.option("--asl", is_flag=True, help="Print the definition in the Amazon States Language, as it is registered.")
@json_option
@aws_options
def show(name: str, *, asl: bool, as_json: bool, **options: Any) -> None:
    """Show a machine in the short notation: what is printed is a FILE for `put`."""
    from workers.machines.registration.machines import describe_state_machine
    from workers.machines.text import as_yaml

    found = on_account(lambda account: describe_state_machine(name, account=account), options)
    if as_json:
        print_json(found.to_json())
    elif asl:
        print_json(found.asl)
    else:
        kind = "express" if found.express else "standard"
        click.echo(f"# {found.arn}\n# {kind}, created {moment(found.created)}\n# role: {found.role}")
        click.echo(as_yaml(found.definition).rstrip())


@machines.command("list")
@json_option
@aws_options
def list_(*, as_json: bool, **options: Any) -> None:
    """List the machines, by name."""
    from workers.machines.registration.machines import Listed, list_state_machines

    async def work(account: "Account") -> list[Listed]:
        return [machine async for machine in list_state_machines(account=account)]

    found = on_account(work, options)
    if as_json:
        print_json([machine.to_json() for machine in found])
    else:
        rows = [(one.name, "express" if one.express else "standard", moment(one.created)) for one in found]
        table(("machine", "type", "created"), rows)


@machines.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--to",
    "target",
    type=click.Choice(["cloudformation", "terraform", "asl", "notation"]),
    default="asl",
    show_default=True,
    help="A template, a .tf.json file, or the definition alone.",
)
@click.option("--name", help="The machine's name.  [default: the file's, without its ending]")
@json_option
@aws_options
@problems_exit_1
def render(file: str, *, target: str, name: str | None, as_json: bool, **options: Any) -> None:
    """Write the machine in FILE for other tools: CloudFormation, Terraform, or just ASL or the short notation.

    Only ASL, in which names become ARNs, asks AWS: for the account, unless --account says it. ${Placeholders} become
    parameters or variables. All is JSON; the notation is YAML, and with --json it is JSON too.
    """
    from workers.machines.definition import from_asl, load
    from workers.machines.notation.reading import SOMEWHERE
    from workers.machines.rendering import render as as_template

    definition = load(Path(file))
    settings = Settings(**given(options))
    if target == "asl":
        print_json(definition.to_asl(place=named_place(settings), namespace=settings.namespace))
    elif target == "notation":
        _print_notation(from_asl(definition.to_asl(place=SOMEWHERE), place=SOMEWHERE), as_json=as_json)
    else:
        kind: Any = target
        print_json(as_template(definition, kind, name=name or Path(file).stem, namespace=settings.namespace))


@machines.command()
@click.argument("file", metavar="FILE.edn")
@json_option
def convert(file: str, *, as_json: bool) -> int:
    """Write a machine of Stepwise, in EDN, in the short notation; - is stdin.

    It becomes the same definition on AWS. What Stepwise changed or left out without a word is said.
    """
    from workers.machines import Severity
    from workers.machines import validate as judge
    from workers.machines.stepwise.sugar import from_stepwise

    converted = from_stepwise(read_text(file), name=file)
    problems = judge(converted.notation)
    for said in (*converted.notes, *map(str, problems)):
        click.echo(f"{file}: {said}", err=True)
    _print_notation(converted.notation, as_json=as_json)
    return ExitCode.FAULT if any(one.severity is Severity.ERROR for one in problems) else ExitCode.OK


@machines.command()
@click.argument("machine", metavar="FILE|NAME")
@drawing_options
@aws_options
@problems_exit_1
def graph(machine: str, *, form: str | None, output: str | None, as_json: bool, **options: Any) -> None:
    """Draw a machine: as a tree on the terminal, as Mermaid text, as SVG, or as JSON."""
    from workers.machines.registration.machines import describe_state_machine

    if is_file(machine):
        print_drawing(Path(machine), form, output, title=Path(machine).stem, as_json=as_json)
        return
    found = on_account(lambda account: describe_state_machine(machine, account=account), options)
    print_drawing(found.asl, form, output, title=found.name, as_json=as_json)


@machines.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@json_option
@aws_options
def delete(names: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Delete machines, and the roles that were created for them. Their activities stay.

    Executions that run end at their next transition.
    """
    from workers.machines.registration.machines import delete_state_machine
    from workers.machines.registration.results import Change

    async def work(account: "Account") -> list[Change]:
        return [change for name in names for change in await delete_state_machine(name, account=account)]

    changes = on_account(work, options)
    if as_json:
        print_json([{"what": change.what, "action": change.action} for change in changes])
    else:
        click.echo("\n".join(map(str, changes)) or "nothing to delete")


def _print_notation(notation: dict[str, Any], *, as_json: bool) -> None:
    """Prints a machine in the short notation: as YAML for people, or as JSON; both are a FILE for `put`."""
    from workers.machines.text import as_yaml

    if as_json:
        print_json(notation)
    else:
        click.echo(as_yaml(notation).rstrip())


def _said(options: dict[str, Any]) -> Any:
    """Takes out of `options` what `ensure_state_machine` knows under names of its own."""
    from workers.machines.registration.configuration import Logging

    level, group, data = (options.pop(f"log_{name}") for name in ("level", "group", "data"))
    if (group or data) and not level:
        raise UsageError("--log-group and --log-data say nothing without --log-level")
    return {
        "role": options.pop("role"),
        "tracing": options.pop("tracing"),
        "tags": dict(_tag(text) for text in options.pop("tags")),
        "logging": Logging(level=level, log_group=group, data=data) if level else None,
    }


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"--tag {text!r} is no tag: write KEY=VALUE")
    return key, value
