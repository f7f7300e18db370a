"""What the AWS SDK raises becomes one of the protocol's errors, and nothing else does."""

import asyncio
import ssl

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    LoginRefreshRequired,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from tests.ids import shown
from workers.stepfunctions.faults import Translation
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    DeniedError,
    RefusedError,
    ServiceError,
    TaskClosedError,
    ThrottledError,
    TransientError,
)


def said(code: str, status: int = 400, message: str = "why") -> ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": "request-1", "HTTPStatusCode": status},
    }
    return ClientError(response, "SendTaskSuccess")  # type: ignore[arg-type]


def translation(error: BaseException) -> ServiceError:
    with pytest.raises(ServiceError) as caught, Translation("SendTaskSuccess"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.operation == "SendTaskSuccess"
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TaskTimedOut", TaskClosedError),
        ("TaskDoesNotExist", TaskClosedError),
        ("InvalidToken", TaskClosedError),
        ("ActivityDoesNotExist", ActivityMissingError),
        ("ActivityWorkerLimitExceeded", ThrottledError),
        ("ThrottlingException", ThrottledError),
        ("KmsThrottlingException", ThrottledError),
        ("KmsAccessDeniedException", DeniedError),
        ("KmsInvalidStateException", DeniedError),
        ("AccessDeniedException", DeniedError),
        ("ExpiredTokenException", DeniedError),
        ("UnrecognizedClientException", DeniedError),
        ("InvalidSignatureException", DeniedError),
        ("InvalidOutput", RefusedError),
        ("InvalidArn", RefusedError),
        ("ValidationException", RefusedError),
        ("InvalidParameterValue", RefusedError),
    ],
)
def test_codes_of_the_service(code: str, kind: type[ServiceError]):
    error = translation(said(code))
    assert type(error) is kind
    assert (error.code, error.request_id, str(error)) == (code, "request-1", f"SendTaskSuccess: {code}: why")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NewInternalFault", 500, TransientError),
        ("NewLimitExceeded", 429, ThrottledError),
        ("NewDenial", 403, DeniedError),
        ("NewRefusal", 400, RefusedError),
        ("NewRefusal", 404, RefusedError),
        ("404", 404, TransientError),
        ("409", 409, TransientError),
        ("400", 400, RefusedError),
        ("413", 413, RefusedError),
        ("407", 407, DeniedError),
        ("503", 503, TransientError),
    ],
)
def test_a_code_that_says_nothing_is_judged_by_its_status(code: str, status: int, kind: type[ServiceError]):
    assert type(translation(said(code, status))) is kind


def test_a_throttle_is_transient_too():
    assert isinstance(translation(said("ThrottlingException")), TransientError)


def test_an_answer_without_details_is_still_translated():
    error = translation(ClientError({}, "SendTaskSuccess"))
    assert (type(error), error.code, error.request_id) == (RefusedError, "", None)


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        TokenRetrievalError(provider="sso", error_msg="expired"),
        UnauthorizedSSOTokenError(),
        LoginRefreshRequired(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_only_a_person_can_mend_is_denied(error: Exception):
    found = translation(error)
    assert (type(found), found.code) == (DeniedError, type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        HTTPClientError(error="cut short"),
        CredentialRetrievalError(provider="container-role", error_msg="timed out"),
        ResponseParserError("not JSON"),
        ConnectionResetError(),
        TimeoutError(),
        ssl.SSLError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        AttributeError("'str' object has no attribute 'get'"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_transient(error: Exception):
    found = translation(error)
    assert (type(found), found.code) == (TransientError, type(error).__name__)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit()], ids=shown)
def test_cancellation_and_the_end_of_the_process_are_left_alone(error: BaseException):
    with pytest.raises(type(error)), Translation("SendTaskSuccess"):
        raise error
