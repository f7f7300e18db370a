"""What a chain returned becomes the output that Step Functions takes."""

import json
from typing import Any

from workers.errors import ErrorName, WorkersError
from workers.signatures import InvalidOutputError
from workers.stepfunctions.protocol import OUTPUT_LIMIT

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class OutputTooLargeError(WorkersError):
    """The result of a handler has more bytes than Step Functions takes."""

    error_name = ErrorName.OUTPUT_TOO_LARGE


def encoded(activity: str, result: Any) -> str:
    """The result of the activity called `activity` as JSON. Raises `InvalidOutputError` and `OutputTooLargeError`."""
    try:
        output = _encode(result)
        size = len(output.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidOutputError(f"activity {activity} returned what JSON cannot hold: {error}") from None
    if size > OUTPUT_LIMIT:
        raise OutputTooLargeError(
            f"the result of activity {activity} has {size:,} bytes of JSON, Step Functions takes "
            f"{OUTPUT_LIMIT:,}: return less, or set a payload store"
        )
    return output
