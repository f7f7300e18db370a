"""A workflow on a terminal: followed to its end, and shown."""

from typing import TYPE_CHECKING

import anyio
import click

from workers.cli.output import duration, moment, table
from workers.cli.pages import workflow_page

if TYPE_CHECKING:
    from workers.manager.client import Client
    from workers.manager.model import Workflow

_EVERY = 1.0
"""Seconds between two looks."""


async def follow_workflow(client: "Client", workflow: "Workflow", *, quiet: bool) -> "Workflow":
    """The workflow when it has ended; until then, each new status is said on stderr."""
    said = None
    while True:
        if workflow.status != said and not quiet:
            said = workflow.status
            click.echo(f"{workflow.id}: {said}", err=True)
        if workflow.status.terminal:
            return workflow
        await anyio.sleep(_EVERY)
        workflow = await client.workflow(workflow.id)


def print_workflow(workflow: "Workflow", url: str, *, full: bool = False) -> None:
    """Prints a workflow of the manager at `url` for people; with `full`, its jobs."""
    definition = workflow.workflow_definition
    seconds = (workflow.stopped_at - workflow.created_at).total_seconds() if workflow.stopped_at else None
    lines = {
        "workflow": workflow.id,
        "definition": f"{definition.name}@{definition.version}",
        "status": str(workflow.status) + (", resolved" if workflow.resolved_by_user else ""),
        "reason": workflow.status_reason,
        "started": moment(workflow.created_at),
        "took": duration(seconds) if seconds is not None else None,
        "namespace": workflow.namespace or None,
        "queue": workflow.queue,
        "tags": ", ".join(f"{key}={value}" for key, value in workflow.tags.items()) or None,
        "resumed from": workflow.retry_for,
        "resumed by": ", ".join(workflow.retries) or None,
        "last job": workflow.last_job.state if workflow.last_job else None,
        "execution": workflow.execution_arn,
        "page": workflow_page(url, workflow.id),
        "input": workflow.input,
        "output": workflow.output,
    }
    for name, value in lines.items():
        if value is not None:
            click.echo(f"{name + ':':14}{value}")
    if full:
        click.echo()
        rows = [
            (job.state, str(job.status), str(len(job.attempts) + 1), moment(job.started_at), job.status_reason or "")
            for job in workflow.jobs or ()
        ]
        table(("job", "status", "tries", "started", "reason"), [(*row[:4], row[4].replace("\n", " ")) for row in rows])
