"""What can go wrong with a payload, each with the error name that Step Functions sees."""

from workers.errors import ErrorName, WorkersError


class PayloadError(WorkersError):
    """The root of all errors about payloads; `error_name` is what `Retry` and `Catch` match."""

    error_name: ErrorName


class PayloadMissingError(PayloadError):
    """The object is not there."""

    error_name = ErrorName.PAYLOAD_MISSING


class PayloadCorruptError(PayloadError):
    """The object is not what was written: length, hash or content differ."""

    error_name = ErrorName.PAYLOAD_CORRUPT


class PayloadForbiddenError(PayloadError):
    """A claim points outside the stores that may be read."""

    error_name = ErrorName.PAYLOAD_FORBIDDEN


class PayloadMalformedError(PayloadError):
    """An object that looks like a claim is none."""

    error_name = ErrorName.PAYLOAD_MALFORMED


class PayloadNestedError(PayloadError):
    """An offloaded payload holds a claim itself."""

    error_name = ErrorName.PAYLOAD_NESTED


class PayloadTooLargeError(PayloadError):
    """A payload is over a cap."""

    error_name = ErrorName.PAYLOAD_TOO_LARGE


class PayloadNotJsonError(PayloadError):
    """A document holds what JSON cannot."""

    error_name = ErrorName.INVALID_OUTPUT


class StoreMissingError(PayloadError):
    """The bucket or folder of the store does not exist."""

    error_name = ErrorName.PAYLOAD_STORE_MISSING


class StoreAccessDeniedError(PayloadError):
    """The store refused the credentials, or there are none."""

    error_name = ErrorName.PAYLOAD_ACCESS_DENIED


class StoreRefusedError(PayloadError):
    """The store refused a request for another reason; repeating it cannot help."""

    error_name = ErrorName.PAYLOAD_STORE_REFUSED


class StoreUnavailableError(PayloadError):
    """The store could not be reached or failed; repeating the request may help."""

    error_name = ErrorName.PAYLOAD_STORE_UNAVAILABLE
