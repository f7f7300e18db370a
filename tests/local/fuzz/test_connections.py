"""Requests that come in one go, break off, or say that they bring something else than they do."""

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.account import ROLE, unique
from tests.local.fuzz.known import FUZZ, OPERATIONS, SECONDS, Wire, check
from tests.local.helpers import PASS
from workers.local import LocalStepFunctions

TYPES = [
    "",
    "application/json",
    "application/x-amz-json-1.1",
    "text/html; charset=latin-1",
    "multipart/form-data",
    "\xff",
]


@pytest.mark.parametrize("content_type", TYPES)
def test_whatever_a_request_says_that_it_brings(engine: LocalStepFunctions, content_type: str):
    """Step Functions' requests are known by their target."""
    parts = urlsplit(engine.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    headers = {"X-Amz-Target": "AWSStepFunctions.ListActivities", "Content-Type": content_type.encode("latin-1")}
    for content in (b"{}", b"", b"a=b&c=d", b"<xml/>", b"\x1f\x8b"):
        connection.request("POST", "/", content, headers)
        answer = connection.getresponse()
        check(answer.status, json.loads(answer.read()), content)
        assert (answer.status == 200) == (content in (b"{}", b""))
    connection.close()


CALLS = st.lists(
    st.tuples(
        st.sampled_from([name for name in OPERATIONS if name not in {"GetActivityTask", "StartSyncExecution"}]),
        st.sampled_from([b"{}", b"[", b"", b'{"name": 1}', b'{"maxResults": 1}', b"\xff"]),
    ),
    min_size=1,
    max_size=40,
)


def written(operation: str, content: bytes) -> bytes:
    head = f"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.{operation}\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


@FUZZ
@given(calls=CALLS)
def test_requests_in_one_go_are_answered_in_their_order(engine: LocalStepFunctions, calls: list[tuple[str, bytes]]):
    parts = urlsplit(engine.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    connection.connect()
    connection.sock.sendall(b"".join(written(*call) for call in calls))
    with connection.sock.makefile("rb") as stream:
        for call in calls:
            status, answer = read(stream)
            check(status, answer, call)
    connection.close()


def read(stream: Any) -> tuple[int, Any]:
    """The status and the body of the next answer."""
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline()) != b"\r\n":
        assert line, "the connection was closed"
        if line.lower().startswith(b"content-length:"):
            length = int(line.split()[1])
    return status, json.loads(stream.read(length))


@FUZZ
@given(operation=st.sampled_from(OPERATIONS), share=st.floats(0, 1, exclude_max=True), reset=st.booleans())
def test_a_request_that_breaks_off_is_no_request(
    engine: LocalStepFunctions, wire: Wire, operation: str, share: float, reset: bool
):
    """Nothing is done of it, and the engine answers others."""
    name = unique("broken-off")
    whole = written(operation, json.dumps({"name": name, "definition": json.dumps(PASS), "roleArn": ROLE}).encode())
    parts = urlsplit(engine.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    connection.connect()
    connection.sock.sendall(whole[: int(share * len(whole))])
    if not reset:
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.sock.recv(65_536) == b""
    connection.close()
    for listed in ("ListActivities", "ListStateMachines"):
        status, answer = wire.send(listed, b"{}")
        check(status, answer, listed)
        assert name not in json.dumps(answer)
