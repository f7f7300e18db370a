"""What the AWS SDK raises becomes one of the protocol's errors."""

from botocore.exceptions import (
    ClientError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
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
    "RequestExpired": DeniedError,
    "SignatureDoesNotMatch": DeniedError,
    "UnrecognizedClientException": DeniedError,
    "RequestTimeout": TransientError,
    "RequestTimeoutException": TransientError,
}

_SIGN_IN = (NoCredentialsError, PartialCredentialsError, TokenRetrievalError, SSOError, LoginError)
_DENIED = {401, 403, 407}
_OUR_FAULT = {400, 413}


class Translation:
    """Lets the protocol's errors out of a call of the AWS SDK, and no others."""

    __slots__ = ("_operation",)

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        """Nothing to do: a class, because it stands around every call, and a generator costs two microseconds."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            raise _translated(self._operation, error) from error


def _translated(operation: str, error: Exception) -> ServiceError:
    if isinstance(error, ClientError):
        return _answered(operation, error)
    # Of the others: connections refused, reset, timed out or cut short, and answers that are not what the service
    # sends; what botocore raises when it cannot parse one may be anything.
    kind = DeniedError if isinstance(error, _SIGN_IN) else TransientError
    return kind(operation, type(error).__name__, str(error))


def _answered(operation: str, error: ClientError) -> ServiceError:
    detail = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    return refused_by_service(
        operation,
        code=str(detail.get("Code", "")),
        status=metadata.get("HTTPStatusCode", 0),
        message=str(detail.get("Message", "")),
        request_id=metadata.get("RequestId"),
    )


def refused_by_service(
    operation: str, *, code: str, status: int, message: str, request_id: str | None = None
) -> ServiceError:
    """The protocol's error for an answer that is one: its error code, HTTP status and message."""
    kind = _CODES.get(code) or _by_status(status, from_service=not code.isdecimal())
    return kind(operation, code, message, request_id)


def _by_status(status: int, *, from_service: bool) -> type[ServiceError]:
    """The kind of an answer whose code says nothing: of a new fault of the service, or of something before it.

    A proxy or a load balancer that has lost its target says 404 and the like; that passes, and no result of a
    handler may be given up for it.
    """
    if status == 429:
        return ThrottledError
    if status in _DENIED:
        return DeniedError
    passes = status >= 500 or not (from_service or status in _OUR_FAULT)
    return TransientError if passes else RefusedError
