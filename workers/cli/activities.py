"""`workers activities`: the activities of an account."""

from typing import Any

import click

from workers.cli.aws import aws_options, json_option, on_account
from workers.cli.output import moment, print_json, table


@click.group()
def activities() -> None:
    """List, show, create and delete activities.

    `workers run` creates the activities that it polls, and `workers machines put` those that a machine uses.
    """


@activities.command("list")
@json_option
@aws_options
def list_(*, as_json: bool, **options: Any) -> None:
    """List the activities, by name."""
    from workers.machines.activities import Activity, list_activities
    from workers.stepfunctions.account import Account

    async def work(account: Account) -> list[Activity]:
        return [activity async for activity in list_activities(account=account)]

    found = on_account(work, options)
    if as_json:
        print_json([activity.to_json() for activity in found])
    else:
        table(("activity", "created"), [(activity.name, moment(activity.created)) for activity in found])


@activities.command()
@click.argument("name")
@json_option
@aws_options
def show(name: str, *, as_json: bool, **options: Any) -> None:
    """Show an activity. NAME may be an ARN."""
    from workers.machines.activities import describe_activity

    found = on_account(lambda account: describe_activity(name, account=account), options)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(f"name     {found.name}\narn      {found.arn}\ncreated  {moment(found.created)}")


@activities.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@json_option
@aws_options
def put(names: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Create activities; those that exist stay as they are."""
    from workers.machines.activities import ensure_activities

    created = on_account(lambda account: ensure_activities(names, account=account), options)
    if as_json:
        print_json({"created": created})
    else:
        click.echo("\n".join(f"{arn}: created" for arn in created) or "nothing to change")


@activities.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@json_option
@aws_options
def delete(names: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Delete activities. Tasks that wait for a worker are lost until they time out."""
    from workers.machines.activities import delete_activity
    from workers.stepfunctions.account import Account

    async def work(account: Account) -> list[str]:
        return [await delete_activity(name, account=account) for name in names]

    deleted = on_account(work, options)
    if as_json:
        print_json({"deleted": deleted})
    else:
        click.echo("\n".join(f"{arn}: deleted" for arn in deleted))
