"""What `GET /workflows` may be asked, and the path of the next page."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from workers.manager.errors import InvalidError
from workers.manager.model import Model, Query, Sort, Status, Time


def _split(value: Any) -> Any:
    """Several values may stand in one, with commas between them."""
    if isinstance(value, list):
        return [part for one in value for part in (one.split(",") if isinstance(one, str) else [one]) if part]
    return value


TagText = Annotated[str, StringConstraints(pattern=r"^[^=]+=", max_length=400)]
Text = Annotated[str, StringConstraints(max_length=200)]


class WorkflowFilter(Model):
    """The query of `GET /workflows`."""

    model_config = ConfigDict(alias_generator=to_camel)

    workflow_definition_name: Text | None = Field(None, description="Only of this definition.")
    status: Annotated[list[Status], BeforeValidator(_split)] = Field(
        default=[], max_length=50, description="Any of these."
    )
    resolved_by_user: bool | None = None
    namespace: Text | None = None
    queue: Text | None = None
    tag: list[TagText] = Field(default=[], max_length=10, description="KEY=VALUE; several must all be there.")
    created_after: Time | None = Field(None, description="At this time or later.")
    created_before: Time | None = Field(None, description="Before this time.")
    updated_after: Time | None = Field(None, description="At this time or later.")
    id_contains: Text | None = Field(None, description="A part of the id.")
    sort: Sort = Sort.CREATED_AT
    oldest_first: bool = False
    limit: int = Field(10, ge=0, le=10_000, description="Workflows on a page; 0 is the default.")
    page_token: str | None = Field(None, max_length=1_000, description="From X-Next-Page-Path.")
    summary_only: bool = Field(default=False, description="A list is always a summary.")


def query_of(asked: WorkflowFilter) -> Query:
    """What is asked, as the store takes it. Raises `InvalidError`."""
    fields = asked.model_dump(by_alias=False, exclude={"tag", "limit", "summary_only", "status"})
    tags = dict(tag.partition("=")[::2] for tag in asked.tag)
    if len(tags) < len(set(asked.tag)):
        raise InvalidError("tag: the same key is given with several values, and a workflow has one")
    return Query(**fields, status=tuple(asked.status), tags=tags, limit=asked.limit or 10)


def next_page_path(asked: WorkflowFilter, token: str) -> str:
    """The path of the next page: the same question, with its defaults, and where to go on."""
    given = asked.model_copy(update={"page_token": token}).model_dump(mode="json", by_alias=True, exclude_none=True)
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    return f"/workflows?{urlencode(given, doseq=True)}"
