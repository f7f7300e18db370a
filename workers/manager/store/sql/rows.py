"""Rows become models, and models become rows."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Row

from workers.manager.model import Job, Launch, StateResource, Status, Workflow, WorkflowDefinition, WorkflowSummary
from workers.manager.store.interface import Unfinished
from workers.manager.store.sql.tables import definitions, details, workflows

Values = dict[str, Any]

_DOCUMENTS = ("state_machine", "default_tags", "input_schema")
_DEFINITION = {
    column.name: column.label(f"d_{column.name}")
    for column in definitions.c
    if column.name not in {"name", "version", "state_machine", "input_schema"}
}
ABOUT: tuple[ColumnElement[Any], ...] = (definitions.c.name, definitions.c.version, *_DEFINITION.values())
"""What `about` needs, of definitions."""

_SUMMARY = [column for column in workflows.c if column.name not in {"claimed_by", "claimed_until"}]

SUMMARY: tuple[ColumnElement[Any], ...] = (
    *_SUMMARY,
    *_DEFINITION.values(),
    details.c.input,
    details.c.last_job,
    details.c.cancel_reason,
)
"""What `summary` needs, of workflows with their details and definitions."""

WHOLE: tuple[ColumnElement[Any], ...] = (
    *SUMMARY,
    details.c.status_reason,
    details.c.output,
    details.c.jobs,
)
"""What `whole` needs."""


UNFINISHED_PARTS: tuple[ColumnElement[Any], ...] = (
    *(workflows.c[name] for name in Unfinished.__slots__ if name != "cancel_reason"),
    details.c.cancel_reason,
)
"""What `unfinished` needs, of workflows with their details."""


def definition(row: Row[Any]) -> WorkflowDefinition:
    """A row of `definitions`."""
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's columns
    for name in _DOCUMENTS:
        values[name] = _loaded(values[name])
    return WorkflowDefinition.model_validate(values)


def definition_values(given: WorkflowDefinition) -> Values:
    """A row for `definitions`."""
    values = given.model_dump(by_alias=False)
    return values | {name: _dumped(getattr(given, name)) for name in _DOCUMENTS}


def about(row: Row[Any]) -> WorkflowDefinition:
    """A row of `ABOUT`: a definition as workflows have it, without its state machine."""
    return WorkflowDefinition.model_validate(_about(dict(row._mapping)))  # noqa: SLF001 - as above


def state_resource(row: Row[Any]) -> StateResource:
    """A row of `state_resources`."""
    return StateResource.model_validate(dict(row._mapping))  # noqa: SLF001 - the public way to a row's columns


def summary(row: Row[Any], retries: tuple[str, ...]) -> WorkflowSummary:
    """A row of `SUMMARY`."""
    return WorkflowSummary.model_validate(_workflow(dict(row._mapping), retries))  # noqa: SLF001 - as above


def whole(row: Row[Any], retries: tuple[str, ...]) -> Workflow:
    """A row of `WHOLE`."""
    values = _workflow(dict(row._mapping), retries)  # noqa: SLF001 - as above
    values["jobs"] = _loaded(values["jobs"])
    return Workflow.model_validate(values)


def unfinished(row: Row[Any]) -> Unfinished:
    """A row of `UNFINISHED_PARTS`."""
    values = dict(row._mapping)  # noqa: SLF001 - as above
    return Unfinished(**values | {"status": Status(values["status"]), "launch": Launch(values["launch"])})


def workflow_values(given: Workflow) -> tuple[Values, Values]:
    """A row for `workflows`, and one for `workflow_details`."""
    values = {
        "id": given.id,
        "definition_name": given.workflow_definition.name,
        "definition_version": given.workflow_definition.version,
        "resolved": given.resolved_by_user,
        "tags": _dumped(given.tags),
    }
    same = ("created_at", "last_updated", "stopped_at", "namespace", "queue", "retry_for", "start_at", "status",
            "redrive_count", "launch", "execution_arn", "revision")  # fmt: skip
    values |= {name: getattr(given, name) for name in same}
    beside = {"workflow_id": given.id, "last_job": job_text(given.last_job), "jobs": jobs_text(given.jobs)}
    beside |= {name: getattr(given, name) for name in ("input", "status_reason", "cancel_reason", "output")}
    return values, beside


def job_text(job: Job | None) -> str | None:
    """A job as it is kept."""
    return None if job is None else job.model_dump_json(exclude_none=True)


def jobs_text(jobs: tuple[Job, ...] | None) -> str | None:
    """Jobs as they are kept."""
    return None if jobs is None else f"[{','.join(job.model_dump_json(exclude_none=True) for job in jobs)}]"


def _workflow(values: Values, retries: tuple[str, ...]) -> Values:
    values |= {"name": values.pop("definition_name"), "version": values.pop("definition_version")}
    return values | {
        "workflow_definition": _about(values),
        "resolved_by_user": values.pop("resolved"),
        "tags": _loaded(values["tags"]),
        "last_job": _loaded(values["last_job"]),
        "retries": retries,
    }


def _about(values: Values) -> Values:
    found = {name: values.pop(f"d_{name}") for name in _DEFINITION}
    found["default_tags"] = _loaded(found["default_tags"])
    return found | {name: values.pop(name) for name in ("name", "version")}


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _dumped(data: Any) -> str | None:
    return None if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
