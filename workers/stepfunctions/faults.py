"""What the AWS SDK raises becomes one of the protocol's errors."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from workers.stepfunctions.protocol import (
    ActivityMissingError,
    DeniedError,
    RefusedError,
    ServiceError,
    TaskClosedError,
    ThrottledError,
    TransientError,
)

_CODES: dict[str, type[ServiceError]] = {
    "ActivityDoesNotExist": ActivityMissingError,
    "TaskDoesNotExist": TaskClosedError,
    "TaskTimedOut": TaskClosedError,
    "InvalidToken": TaskClosedError,
    "ActivityWorkerLimitExceeded": ThrottledError,
    "KmsThrottlingException": ThrottledError,
    "TooManyRequestsException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "Throttling": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "SlowDown": ThrottledError,
    "AccessDenied": DeniedError,
    "AccessDeniedException": DeniedError,
    "ExpiredToken": DeniedError,
    "ExpiredTokenException": DeniedError,
    "IncompleteSignature": DeniedError,
    "InvalidClientTokenId": DeniedError,
    "InvalidSignatureException": DeniedError,
    "KmsAccessDeniedException": DeniedError,
    "KmsInvalidStateException": DeniedError,
    "MissingAuthenticationTokenException": DeniedError,
    "NotAuthorized": DeniedError,
    "SignatureDoesNotMatch": DeniedError,
    "UnrecognizedClientException": DeniedError,
    "RequestTimeout": TransientError,
    "RequestTimeoutException": TransientError,
}


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Lets the protocol's errors out of a call of the AWS SDK, and no others."""
    try:
        yield
    except ClientError as error:
        raise _answered(operation, error) from error
    except (NoCredentialsError, PartialCredentialsError, TokenRetrievalError) as error:
        raise DeniedError(operation, type(error).__name__, str(error)) from error
    except (TimeoutError, BotoCoreError, OSError, ssl.SSLError) as error:
        # Connections refused, reset, timed out or cut short, and answers that are not what the service sends.
        raise TransientError(operation, type(error).__name__, str(error)) from error


def _answered(operation: str, error: ClientError) -> ServiceError:
    detail = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    code, status = str(detail.get("Code", "")), metadata.get("HTTPStatusCode", 0)
    kind = _CODES.get(code)
    if kind is None:
        kind = ThrottledError if status == 429 else TransientError if status >= 500 else RefusedError
    return kind(operation, code, str(detail.get("Message", "")), metadata.get("RequestId"))
