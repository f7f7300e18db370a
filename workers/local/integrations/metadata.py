"""What the first SDK for Java, which the optimized integrations use, tells of an answer beside the answer."""

import uuid
from collections.abc import Mapping
from typing import Any

_OWN_HEADERS = {"Content-Type": "application/x-amz-json-1.0"}


def metadata(headers: Mapping[str, str] | None = None, *, status: int = 200, request_id: str = "") -> dict[str, Any]:
    """The members of a result that tell of HTTP; without headers, as if there had been some."""
    request_id = request_id or str(uuid.uuid4())
    shown = dict(headers) if headers else {**_OWN_HEADERS, "x-amzn-RequestId": request_id}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in shown.items()},
            "HttpHeaders": shown,
            "HttpStatusCode": status,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }
