"""Inputs and results in the log, for those who ask for them."""

import json
import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

import structlog

from interceptors.chain import CallNext
from workers.errors import RegistrationError
from workers.payloads.document import Draft, nodes
from workers.task import Task

log = structlog.get_logger(__name__)

SECRETS = ("*password*", "*passwd*", "*secret*", "*token*", "*credential*", "*api_key*", "*apikey*", "authorization")
"""Keys whose values are never shown."""
_HIDDEN = "(hidden)"


class LogPayloads:
    """Logs the input and the result of each task: never on by default, for payloads may be anybody's secrets.

    `redact`: keys, at any depth and in any case, whose values are not shown, in addition to `SECRETS`; `*` stands for
    anything, as in `card_*`. `level` is that of the log lines; `limit` the characters that are shown of a document.
    List it after `Payload` to see what the handler sees, before it to see what Step Functions sees.
    """

    def __init__(self, *, redact: Iterable[str] = (), level: str = "info", limit: int = 2_000) -> None:
        if isinstance(redact, str):
            raise RegistrationError(f"LogPayloads: redact is the text {redact!r}, it must be a list, [{redact!r}]")
        if level not in {"debug", "info", "warning", "error"}:
            raise RegistrationError(f"LogPayloads: level is {level!r}, it must be debug, info, warning or error")
        self._hidden = re.compile("|".join(translate(key.lower()) for key in (*SECRETS, *redact)))
        self._level = level
        self._limit = limit

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, between two log lines."""
        self._say("task input", task, task.input)
        result = await call_next(task)
        self._say("task result", task, result)
        return result

    def _say(self, event: str, task: Task, document: Any) -> None:
        say = getattr(log, self._level)
        say(event, activity=task.activity, document=self._shown(document))

    def _shown(self, document: Any) -> str:
        draft = Draft(document)
        for place, node in sorted(nodes(document), key=lambda found: len(found[0]), reverse=True):
            for key in node if isinstance(node, dict) else ():
                if isinstance(key, str) and self._hidden.fullmatch(key.lower()):
                    draft[(*place, key)] = _HIDDEN
        text = json.dumps(draft.document, ensure_ascii=False, default=repr)
        return text if len(text) <= self._limit else f"{text[: self._limit]}… ({len(text):,} characters)"
