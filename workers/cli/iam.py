"""`workers iam`: policies with the least that each part needs."""

from pathlib import Path
from typing import Any

import click

from workers.cli.aws import aws_options, named_place, problems_exit_1
from workers.cli.options import given, settings_options
from workers.cli.output import print_json
from workers.errors import UsageError
from workers.settings import Settings

_OF_WORKERS = {"payloads": None, "create": None, "ecs_protection": None}


@click.group()
def iam() -> None:
    """Print IAM policies with the least that each part needs.

    With --account and a region, AWS is not asked.
    """


@iam.command()
@click.argument("registry", metavar="[MODULE:ATTRIBUTE]", required=False)
@click.option("--activity", "activities", metavar="NAME", multiple=True, help="An activity; may be repeated.")
@click.option("--callbacks", "machines", metavar="MACHINE", multiple=True,
              help="A state machine whose task tokens are finished by key; may be repeated.")  # fmt: skip
@click.option("--kms-key", metavar="ARN", help="The key that encrypts the payload bucket, or the activities.")
@click.option("--cluster", metavar="NAME", help="The ECS cluster that it runs in, for the protection from scale-in.")
@settings_options(Settings, _OF_WORKERS)
@aws_options
def worker(registry: str | None, *, activities: tuple[str, ...], **options: Any) -> None:
    """Print the policy of a worker: of the registry's activities, or of those that are named.

    Without either, it may run any activity of the account.
    """
    from workers.iam import worker_policy
    from workers.loading import load_registry

    if registry and activities:
        raise UsageError("give a registry or --activity, not both")
    only = {name: options.pop(name) for name in ("machines", "kms_key", "cluster")}
    settings = Settings(**given(options))
    names = [handler.name for handler in load_registry(registry)] if registry else activities
    print_json(worker_policy(names, place=named_place(settings), settings=settings, **only))


@iam.command()
@click.option("--database", metavar="URL", default="", help="Its database; only dynamodb://PREFIX asks for anything.")
@click.option("--payloads", metavar="URL", help="Its store for large inputs.")
@click.option("--role", metavar="ARN", help="The role of its state machines.  [default: it makes one for each]")
@click.option("--events", metavar="QUEUE", help="The queue that status changes come by.")
@click.option("--create-events", is_flag=True, help="It makes that queue, and its rule.")
@click.option("--callbacks", metavar="APPLICATION", help="The application whose callbacks it consumes.")
@click.option("--batch-queue", "batch", metavar="NAME=QUEUE", multiple=True, help="A queue of AWS Batch.")
@click.option("--batch-results", metavar="TABLE", help="The table into which jobs write their outputs.")
@click.option("--kms-key", metavar="ARN", help="The key that encrypts its bucket, queue or tables.")
@aws_options
def manager(
    *,
    database: str,
    payloads: str | None,
    role: str | None,
    events: str | None,
    create_events: bool,
    callbacks: str | None,
    batch: tuple[str, ...],
    batch_results: str | None,
    kms_key: str | None,
    **options: Any,
) -> None:
    """Print the policy of a workflow manager, `workers serve`, from the options that it is started with.

    In a --namespace it may start workflows there alone.
    """
    from workers.iam import manager_policy

    settings = Settings(**given(options))
    print_json(
        manager_policy(
            place=named_place(settings),
            database=database,
            payloads=payloads,
            role=role,
            namespace=settings.namespace,
            events=events,
            create_events=create_events,
            callbacks=callbacks,
            batch=bool(batch),
            batch_results=batch_results,
            kms_key=kms_key,
        )
    )


@iam.command()
@click.argument("file", metavar="FILE")
@click.option("--name", help="The machine's name.  [default: the file's, without its ending]")
@click.option("--logging/--no-logging", help="It writes logs.")
@click.option("--tracing/--no-tracing", help="It sends traces to X-Ray.")
@aws_options
@problems_exit_1
def machine(file: str, *, name: str | None, logging: bool, tracing: bool, **options: Any) -> None:
    """Print the policy of the role of the state machine in FILE: what its definition uses."""
    from workers.arns import namespaced
    from workers.machines.definition import load
    from workers.machines.registration.permissions import policy

    settings = Settings(**given(options))
    place = named_place(settings)
    model = load(Path(file)).machine(place=place, namespace=settings.namespace)
    full_name = namespaced(name or Path(file).stem, settings.namespace)
    found = policy(model, name=full_name, place=place, logging=logging, tracing=tracing)
    if found is None:
        click.echo("It needs no permissions: activities ask for none.", err=True)
    print_json(found or {"Version": "2012-10-17", "Statement": []})
