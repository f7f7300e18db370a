"""Signatures equal botocore's, byte for byte."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given
from hypothesis import strategies as st

from workers.stepfunctions.fast.signing import Signer

JSON = "application/x-amz-json-1.0"
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
PATHS = st.text(
    st.sampled_from("/.~%:@+= ab20ä") | st.characters(exclude_categories=["Cs"], exclude_characters="?#\t\r\n"),
    max_size=20,
).map("/{}".format)
"""All that a URL may have between its host and its query."""
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@dataclass
class Frozen:
    access_key: str
    secret_key: str
    token: str | None


def botocores(signer_args: dict[str, str], body: bytes, target: str, frozen: Frozen, now: datetime) -> str:
    headers = {"Content-Type": JSON, "X-Amz-Target": target}
    url = f"https://{signer_args['host']}{signer_args['path']}"
    request = AWSRequest("POST", url, headers=headers, data=body)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now.replace(tzinfo=None)):
        credentials = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
        SigV4Auth(credentials, signer_args["service"], signer_args["region"]).add_auth(request)
    return str(request.headers["Authorization"])


def headers(lines: str) -> dict[str, str]:
    assert lines.endswith("\r\n")
    return dict(line.split(": ", 1) for line in lines.removesuffix("\r\n").split("\r\n"))


@example(b"", "k", "s", None, "us-east-1", "/a b/%20:@+=~/ä//b/../c/", datetime(2026, 1, 1, tzinfo=UTC), "")
@given(
    st.binary(max_size=200), NAMES, SECRETS, st.none() | SECRETS, NAMES, PATHS, TIMES, st.sampled_from(["", ":8083"])
)
def test_signatures_are_botocores(
    body: bytes, key: str, secret: str, token: str | None, region: str, path: str, now: datetime, port: str
) -> None:
    place = {"host": f"states.{region}.amazonaws.com{port}", "path": path, "region": region, "service": "states"}
    signer, frozen = Signer(**place, content_type=JSON), Frozen(key, secret, token)
    for moment in (now, now + timedelta(days=1)):  # the key of one day is not used on the next
        target = "AWSStepFunctions.GetActivityTask"
        ours = headers(signer.lines(body, target=target, credentials=frozen, now=moment.timestamp()))
        assert ours["authorization"] == botocores(place, body, "AWSStepFunctions.GetActivityTask", frozen, moment)


def test_new_credentials_get_a_new_key() -> None:
    place = {"host": "states.us-east-1.amazonaws.com", "path": "/", "region": "us-east-1", "service": "states"}
    signer, now = Signer(**place, content_type=JSON), datetime(2026, 1, 1, tzinfo=UTC)
    for frozen in (Frozen("a", "first", None), Frozen("b", "second", "token"), Frozen("a", "first", None)):
        signed = headers(signer.lines(b"{}", target="T", credentials=frozen, now=now.timestamp()))
        assert signed["authorization"] == botocores(place, b"{}", "T", frozen, now)
        assert signed.get("x-amz-security-token") == frozen.token
