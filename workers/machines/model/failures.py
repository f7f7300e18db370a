"""Retry and Catch."""

import math
from typing import Annotated, Any

from pydantic import Field

from workers.machines.model.base import Part, State
from workers.machines.model.kinds import (
    JSONATA,
    JSONPATH,
    MAX_SECONDS,
    ErrorNames,
    Nested,
    Number,
    OneOf,
    PathTo,
    Target,
    Template,
    Text,
    Variables,
    Whole,
)

_MAX_DELAY = 31_622_400
"""MaxDelaySeconds is less than this: 366 days."""


class Retrier(Part):
    """When and how often a state that failed runs again."""

    error_equals: Annotated[list[str], ErrorNames()]
    interval_seconds: Annotated[int | str, Whole(1, MAX_SECONDS, expression=False, seconds=True)] = 1
    max_attempts: Annotated[int | str, Whole(0, MAX_SECONDS, expression=False)] = 3
    backoff_rate: Annotated[int | float | str, Number(1, math.inf, expression=False)] = 2.0
    max_delay_seconds: Annotated[int | str | None, Whole(1, _MAX_DELAY - 1, expression=False, seconds=True)] = None
    jitter_strategy: Annotated[str, OneOf(("FULL", "NONE"))] = "NONE"
    comment: Annotated[str | None, Text()] = None


class Catcher(Part):
    """Where a state that failed goes."""

    error_equals: Annotated[list[str], ErrorNames()]
    next: Annotated[str, Target()]
    result_path: Annotated[str | None, PathTo(reference=True, context=False, null=True), JSONPATH] = "$"
    output: Annotated[Any, Template(), JSONATA] = None
    assign: Annotated[dict[str, Any] | None, Variables()] = None
    comment: Annotated[str | None, Text()] = None


class Failing(State):
    """A state whose failures can be retried and caught, and whose result can be placed."""

    result_selector: Annotated[dict[str, Any] | None, Template("object"), JSONPATH] = None
    result_path: Annotated[str | None, PathTo(reference=True, context=False, null=True), JSONPATH] = "$"
    retry: Annotated[list[Retrier], Nested(), Field(default_factory=list)]
    catch: Annotated[list[Catcher], Nested(), Field(default_factory=list)]
