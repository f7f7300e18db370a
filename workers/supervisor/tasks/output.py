"""What a chain returned becomes the output that Step Functions takes."""

import json
import re
from typing import Any

from pydantic_core import to_json

from workers.errors import ErrorName, WorkersError
from workers.signatures import InvalidOutputError
from workers.stepfunctions.protocol import OUTPUT_LIMIT

_NO_NUMBERS = re.compile(rb"NaN|Infinity")
"""What pydantic's writer makes of floats that JSON has no numbers for; it may also stand in a text."""


class OutputTooLargeError(WorkersError):
    """The result of a handler has more bytes than Step Functions takes."""

    error_name = ErrorName.OUTPUT_TOO_LARGE


def encoded(activity: str, result: Any) -> str:
    """The result of the activity called `activity` as JSON. Raises `InvalidOutputError` and `OutputTooLargeError`."""
    try:
        output = to_json(result)
        if _NO_NUMBERS.search(output):
            json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidOutputError(f"activity {activity} returned what JSON cannot hold: {error}") from None
    if len(output) > OUTPUT_LIMIT:
        raise OutputTooLargeError(
            f"the result of activity {activity} has {len(output):,} bytes of JSON, Step Functions takes "
            f"{OUTPUT_LIMIT:,}: return less, or set a payload store"
        )
    return output.decode()
