"""The protocol's hot calls over our own HTTP and signing."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from workers.stepfunctions.client import TIMEOUTS, Timeouts
from workers.stepfunctions.fast.http import Answer, ConnectionGoneError, NotHTTPError
from workers.stepfunctions.fast.pool import Endpoint, Pool
from workers.stepfunctions.fast.signing import Credentials, Signer
from workers.stepfunctions.faults import Translation, refused_by_service
from workers.stepfunctions.protocol import ActivityTask, TransientError
from workers.version import __version__

_CONTENT_TYPE = "application/x-amz-json-1.0"
_SKEWED = {"InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}
_UNACCOUNTABLE = _SKEWED | {
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "SignatureDoesNotMatch",
    "UnknownOperationException",
}
"""Codes by which the service says that it could not read or verify a request: the fault may be this client's own."""
_LEAST_SKEW = 240.0
"""Seconds; botocore's bound: AWS allows five minutes."""


class Refreshed(Protocol):
    """Credentials that change with time, as aiobotocore has them."""

    async def get_frozen_credentials(self) -> Credentials:
        """Those of now."""


class UnaccountableError(Exception):
    """An answer that this client cannot explain; the stock client may know better."""


class FastClient:
    """Polls and reports have pools of their own, as in the stock client; creating activities is left to that."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        region: str,
        service: str,
        credentials: Refreshed,
        polls: int,
        reports: int,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._polls = Pool(endpoint, size=max(1, polls), connect_timeout=timeouts.connect)
        self._reports = Pool(endpoint, size=max(1, reports), connect_timeout=timeouts.connect)
        self._signer = Signer(
            host=endpoint.host_header,
            path=endpoint.path,
            region=region,
            service=service,
            content_type=_CONTENT_TYPE,
        )
        self._credentials = credentials
        self.timeouts = timeouts
        self.host = endpoint.host_header
        self._skew = 0.0  # seconds by which the service is ahead of us
        self._head = f"POST {endpoint.path} HTTP/1.1\r\nuser-agent: sfn-workers/{__version__}\r\n"

    async def get_activity_task(self, activity_arn: str, worker_name: str) -> ActivityTask | None:
        """See `StepFunctions`."""
        body = {"activityArn": activity_arn, "workerName": worker_name}
        answer = await self._call("GetActivityTask", body, self._polls, self.timeouts.poll)
        token = answer.get("taskToken") or ""
        given = answer.get("input") or "null"
        if not (isinstance(token, str) and isinstance(given, str)):
            raise UnaccountableError("GetActivityTask was answered with a task whose token or input is no text")
        return ActivityTask(token, given) if token else None

    async def send_task_success(self, token: str, output: str) -> None:
        """See `StepFunctions`."""
        await self._report("SendTaskSuccess", {"taskToken": token, "output": output})

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        """See `StepFunctions`."""
        await self._report("SendTaskFailure", {"taskToken": token, "error": error, "cause": cause})

    async def send_task_heartbeat(self, token: str) -> None:
        """See `StepFunctions`."""
        await self._report("SendTaskHeartbeat", {"taskToken": token})

    def close(self) -> None:
        """Closes every connection as soon as nothing is under way on it."""
        self._polls.close()
        self._reports.close()

    async def _report(self, operation: str, body: Mapping[str, str]) -> None:
        await self._call(operation, body, self._reports, self.timeouts.report)

    async def _call(self, operation: str, body: Mapping[str, str], pool: Pool, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109
        """The decoded answer. Raises the protocol's errors, and `UnaccountableError`."""
        data = to_json(body)
        answer, skew = await self._send(operation, data, pool, timeout)
        if answer.status >= 400 and self._learn_skew(answer, skew):
            answer, _ = await self._send(operation, data, pool, timeout)
        document = _decoded(answer.body)
        if answer.status == 200 and isinstance(document, dict):
            return document
        raise _fault(operation, answer, document)

    async def _send(self, operation: str, body: bytes, pool: Pool, timeout: float) -> tuple[Answer, float]:  # noqa: ASYNC109
        """The answer, and the skew of the clocks that the request was signed with."""
        with Translation(operation):
            credentials = await self._credentials.get_frozen_credentials()
        target, skew = f"AWSStepFunctions.{operation}", self._skew
        lines = self._signer.lines(body, target=target, credentials=credentials, now=time.time() + skew)
        head = f"{self._head}{lines}content-length: {len(body)}\r\n\r\n"
        try:
            return await pool.request(head.encode("latin-1") + body, timeout=timeout), skew
        except NotHTTPError as error:
            raise UnaccountableError(str(error)) from error
        except (TimeoutError, OSError, ConnectionGoneError) as error:
            where = f"{self.host}: {error}".removesuffix(": ")  # what the loop says need not name it
            raise TransientError(operation, type(error).__name__, where) from error

    def _learn_skew(self, answer: Answer, used: float) -> bool:
        """Whether signing with the server's time may help: its clock is far from the one that was signed with.

        Many calls may be open when the first of them learns the skew: each compares with what it `used` itself.
        """
        if _code(answer, _decoded(answer.body)) not in _SKEWED or b"date" not in answer.headers:
            return False
        try:
            theirs = parsedate_to_datetime(answer.headers[b"date"].decode("latin-1"))
            skew = theirs.timestamp() - time.time()
        except (ValueError, TypeError):
            return False
        if abs(skew - used) < _LEAST_SKEW:
            return False
        self._skew = skew
        return True


def _decoded(body: bytes) -> Any:
    """The document in `body`; an empty one where there is nothing, None where it is no JSON."""
    try:
        return from_json(body.strip() or b"{}")
    except ValueError:
        return _read_again(body)


def _read_again(body: bytes) -> Any:
    """No task may be lost for half of a surrogate pair in its input: only Python's slower reader takes it."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _fault(operation: str, answer: Answer, document: Any) -> Exception:
    code = _code(answer, document)
    if not code and answer.status >= 500:  # of something before the service: a load balancer, say
        code = str(answer.status)
    if not code or code in _UNACCOUNTABLE or answer.status < 400:
        return UnaccountableError(f"{operation} was answered with status {answer.status} {code}".rstrip())
    detail = document if isinstance(document, dict) else {}
    return refused_by_service(
        operation,
        code=code,
        status=answer.status,
        message=str(detail.get("message") or detail.get("Message") or ""),
        request_id=answer.headers.get(b"x-amzn-requestid", b"").decode("latin-1") or None,
    )


def _code(answer: Answer, document: Any) -> str:
    """The error code, in either of the forms that AWS gives: a header, or `__type` in the body."""
    named = answer.headers.get(b"x-amzn-errortype", b"").decode("latin-1")
    if not named and isinstance(document, dict):
        named = str(document.get("__type") or document.get("code") or "")
    return named.rpartition("#")[2].partition(":")[0]
