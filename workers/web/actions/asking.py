"""What is asked for on a page of its own, before it is done."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from workers.web.actions.refusals import Refusal
from workers.web.rendering import render


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done with a workflow or an execution."""

    name: str
    title: str
    words: str
    """What it does, and whether it can be undone."""
    danger: bool = False


REDRIVE = Action(
    "redrive",
    "Redrive",
    "The same execution goes on with what failed or was stopped. What succeeded is not done again.",
)


def asked(
    request: Request, template: str, action: Action, lines: tuple[str, ...], *, refusal: Refusal | None, **known: Any
) -> Response:
    """The page that asks whether `action` is meant; after a refusal with what was said against it.

    `lines`: the same for a terminal, and as a call where there is one.
    """
    return render(
        request,
        template,
        status=refusal.status if refusal else 200,
        action=action,
        lines=lines,
        refusal=refusal,
        reason=request.state.form.get("reason", "") if refusal else "",
        **known,
    )
