"""A message of EventBridge about an execution, read (developer guide, "EventBridge": status changes of executions)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from workers.executions.execution import Status

SOURCE = "aws.states"
DETAIL_TYPE = "Step Functions Execution Status Change"

_Milliseconds = Annotated[int, Field(ge=0, lt=2**43)]


class _Detail(BaseModel):
    """What is read of an event; there is more in it."""

    model_config = ConfigDict(alias_generator=to_camel)

    execution_arn: str
    name: str
    status: Status
    stop_date: _Milliseconds | None = None
    redrive_count: int = 0
    output: str | None = None
    """Left out over 248 KiB."""
    error: str | None = None
    cause: str | None = None


class _Event(BaseModel):
    source: Literal["aws.states"]
    detail_type: Literal["Step Functions Execution Status Change"] = Field(alias="detail-type")
    detail: _Detail


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What became of an execution."""

    name: str
    execution: str
    """Its ARN."""
    order: tuple[int, bool]
    """Redrives, and whether it has ended: what is later is more."""
    found: dict[str, Any]
    """The same as an item of ListExecutions has it, and what came of it, where the event tells."""


def read_event(body: str) -> StatusChange:
    """The status change in the body of a message. Raises `ValueError` for anything else, saying what is wrong."""
    try:
        detail = _Event.model_validate_json(body).detail
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the message"
        raise ValueError(f"{place}: {first['msg']}") from None
    found: dict[str, Any] = {
        "executionArn": detail.execution_arn,
        "status": str(detail.status),
        "redriveCount": detail.redrive_count,
    }
    if detail.stop_date is not None:
        found["stopDate"] = datetime.fromtimestamp(detail.stop_date / 1_000, UTC)
    found |= {name: value for name in ("output", "error", "cause") if (value := getattr(detail, name)) is not None}
    return StatusChange(detail.name, detail.execution_arn, (detail.redrive_count, detail.status.ended), found)


def latest(changes: Iterable[StatusChange]) -> dict[str, dict[str, Any]]:
    """Of several changes of one execution the last one, by the names of the executions.

    Of executions with the same name one is passed over: what it was is found by polling.
    """
    last: dict[str, StatusChange] = {}
    for change in changes:
        if change.name not in last or change.order >= last[change.name].order:
            last[change.name] = change
    return {name: change.found for name, change in last.items()}
