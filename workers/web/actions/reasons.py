"""Why a workflow or a job ended, from the text that is kept of it: the cause, and below it the name of the error."""

import json

from workers.web.execution.values import Failure, failure_of


def reason_of(text: str) -> Failure:
    """The failure that a text tells of."""
    try:
        cause, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        *lines, last = text.strip().splitlines() or [""]
        return Failure(last, "\n".join(lines)) if lines else Failure(text.strip(), "")
    found = failure_of({"cause": text[:end], "error": text[end:].strip() or None}) if isinstance(cause, dict) else None
    return found or Failure(text.strip(), "")
