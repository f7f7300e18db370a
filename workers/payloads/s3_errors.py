"""What S3 and the AWS SDK raise becomes one of the errors about payloads."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from workers.payloads.errors import (
    PayloadError,
    PayloadMissingError,
    StoreAccessDeniedError,
    StoreMissingError,
    StoreRefusedError,
    StoreUnavailableError,
)

_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError)
_NETWORK = (BotoCoreError, aiohttp.ClientError, asyncio.TimeoutError, OSError)

# Amazon S3 API reference, "Error responses". What is not listed is judged by its HTTP status.
_PASSING = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestTimeTooSkewed", "InternalError"}
_PASSING |= {"KMS.ThrottlingException", "OperationAborted", "XAmzContentSHA256Mismatch", "BadDigest"}
_DENIED = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "KMS.DisabledException", "KMS.InvalidStateException"}


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Lets a `PayloadError` about `uri` out of a call of the AWS SDK, in place of what the SDK raises."""
    try:
        yield
    except ClientError as error:
        raise _answered(uri, error) from error
    except _NO_CREDENTIALS as error:
        raise StoreAccessDeniedError(f"{uri}: no AWS credentials: {error}") from error
    except ParamValidationError as error:
        raise StoreRefusedError(f"{uri}: an S3 option cannot be used: {error}") from error
    except _NETWORK as error:
        raise StoreUnavailableError(f"{uri}: S3 was not reached: {str(error) or type(error).__name__}") from error


def _answered(uri: str, error: ClientError) -> PayloadError:
    detail = error.response.get("Error", {})
    code, message = str(detail.get("Code", "")), str(detail.get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{uri}: {code}: {message}" if message else f"{uri}: {code or status}"
    if code in _PASSING or status >= 500 or status == 429:
        return StoreUnavailableError(said)
    if code == "NoSuchBucket":
        return StoreMissingError(f"{said} (create the bucket, or correct the URL of the payload store)")
    if code == "NoSuchKey" or status == 404:
        return PayloadMissingError(f"{uri} is not there (any more): a lifecycle rule or a sweep may have removed it")
    if status == 403 or code in _DENIED:
        return StoreAccessDeniedError(
            f"{said} (either the credentials lack s3:GetObject, s3:PutObject or the use of the KMS key, or the object "
            "is not there: without s3:ListBucket, S3 answers 403 for a missing object too)"
        )
    return StoreRefusedError(said)
