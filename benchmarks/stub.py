"""A fast stand-in for Step Functions that knows four calls: the yardstick for clients, not an engine.

    python benchmarks/stub.py [--tls FOLDER]     prints its port, serves until stdin closes

With `--tls` it makes a certificate in the folder, listens on a second port with TLS, and prints both ports.

It hands out tasks that `POST /load` adds, holds polls when there are none, and measures: tasks handed out and
done, reports that came twice, milliseconds from hand-out to success, lateness of heartbeats, both since the last
`POST /forget`. No signature is checked.
"""

import asyncio
import json
import ssl
import sys
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

HOLD = 60.0
TOKEN = "t" * 580
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n"


class State:
    def __init__(self) -> None:
        self.input = json.dumps(json.dumps({"n": 1, "text": "x" * 180}))
        self.reset()

    def reset(self) -> None:
        self.left = self.handed = self.done = self.twice = self.beats = 0
        self.delay = 0.0
        self.interval = 0.0
        self.first = self.last = 0.0
        self.out: dict[bytes, float] = {}
        self.latencies: list[float] = []
        self.beaten: dict[bytes, float] = {}
        self.late: list[float] = []

    def stats(self) -> dict[str, Any]:
        def percentile(values: list[float], share: float) -> float:
            return round(sorted(values)[int(share * (len(values) - 1))] * 1000, 2) if values else 0.0

        return {
            "handed": self.handed,
            "done": self.done,
            "twice": self.twice,
            "seconds": self.last - self.first,
            "p50_ms": percentile(self.latencies, 0.5),
            "p99_ms": percentile(self.latencies, 0.99),
            "open_polls": len(WAITING),
            "beats": self.beats,
            "late_p99_ms": percentile(self.late, 0.99),
        }


STATE = State()
WAITING: "deque[Connection]" = deque()


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests come one after the other on it."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = b""
        self.holding: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self.holding:
            self.holding.cancel()
            WAITING.remove(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            target = head.find(b"x-amz-target:")
            operation = head[target + 13 :].split(b"\r", 1)[0].strip() if target >= 0 else head.split(b" ", 2)[1]
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.serve(operation, body)

    def serve(self, operation: bytes, body: bytes) -> None:
        if operation.endswith(b"getactivitytask"):
            if STATE.left:
                self.answer(hand_out())
            else:
                WAITING.append(self)
                self.holding = asyncio.get_running_loop().call_later(HOLD, self.end_hold)
        elif operation.endswith(b"sendtasksuccess"):
            succeed(token_of(body))
            self.answer(b"{}")
        elif operation.endswith(b"sendtaskheartbeat"):
            beat(token_of(body))
            self.answer(b"{}")
        elif operation.endswith(b"sendtaskfailure"):
            succeed(token_of(body))
            self.answer(b"{}")
        elif operation == b"/load":
            load(json.loads(body))
            self.answer(b"{}", at_once=True)
        elif operation == b"/forget":
            STATE.latencies.clear()
            STATE.late.clear()
            self.answer(b"{}", at_once=True)
        else:
            self.answer(json.dumps(STATE.stats()).encode(), at_once=True)

    def end_hold(self) -> None:
        WAITING.remove(self)
        self.holding = None
        self.answer(b"{}", at_once=True)

    def wake(self) -> None:
        if self.holding:
            self.holding.cancel()
            self.holding = None
        self.answer(hand_out())

    def answer(self, body: bytes, *, at_once: bool = False) -> None:
        answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n" % len(
            body
        )
        if STATE.delay and not at_once:
            asyncio.get_running_loop().call_later(STATE.delay, self.transport.write, answer + body)
        else:
            self.transport.write(answer + body)


def hand_out() -> bytes:
    STATE.left -= 1
    STATE.handed += 1
    now = monotonic()
    STATE.first = STATE.first or now
    token = b"%s%020d" % (TOKEN.encode(), STATE.handed)
    STATE.out[token] = now
    return b'{"taskToken":"%s","input":%s}' % (token, STATE.input.encode())


def token_of(body: bytes) -> bytes:
    at = body.find(TOKEN.encode())
    return body[at : at + len(TOKEN) + 20]


def succeed(token: bytes) -> None:
    if (since := STATE.out.pop(token, None)) is None:
        STATE.twice += 1
        return
    STATE.done += 1
    STATE.last = monotonic()
    STATE.latencies.append(STATE.last - since)


def beat(token: bytes) -> None:
    now = monotonic()
    STATE.beats += 1
    since = STATE.beaten.get(token, STATE.out.get(token, now))
    if STATE.interval:
        STATE.late.append(max(0.0, now - since - STATE.interval))
    STATE.beaten[token] = now


def load(order: dict[str, Any]) -> None:
    STATE.reset()
    STATE.delay = order.get("delay", 0.0)
    STATE.interval = order.get("interval", 0.0)
    STATE.left = order.get("tasks", 0)
    if "input" in order:
        STATE.input = json.dumps(json.dumps(order["input"]))
    for _ in range(min(STATE.left, len(WAITING))):
        WAITING.popleft().wake()


def certificate(folder: Path) -> Path:
    """A certificate for localhost that signs itself, and its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(pem) + plain)
    return file


async def main() -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)]
    if sys.argv[1:2] == ["--tls"]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate(Path(sys.argv[2])))
        servers.append(await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096, ssl=tls))
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
