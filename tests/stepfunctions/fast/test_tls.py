"""The fast client against a server with a certificate of its own."""

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.stepfunctions.fast.server import Served, answer, serving
from tests.stepfunctions.fast.test_client import a_session
from tests.stepfunctions.fast.test_limits import a_client
from workers.stepfunctions.client import Timeouts
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.choice import open_stepfunctions
from workers.stepfunctions.fast.pool import Endpoint
from workers.stepfunctions.protocol import TransientError


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.with_name("key.pem").write_bytes(secret)
    return file


def a_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


async def beat(served: Served, host: str, name: str = "fast") -> None:
    connection = Connection(a_session(), f"https://{host}:{served.port}")
    async with open_stepfunctions(connection, name, polls=1, reports=1) as client:  # type: ignore[arg-type]
        await client.send_task_heartbeat("token")


@pytest.mark.parametrize("name", ["fast", "botocore"])
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
async def test_a_certificate_of_the_bundle_is_accepted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    async with serving(answer(), tls=a_context(certificate)) as served:
        await beat(served, "127.0.0.1", name)
    assert len(served.requests) == 1


async def test_it_is_refused_without_the_bundle(certificate: Path) -> None:
    async with serving(answer(), tls=a_context(certificate)) as served:
        with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
            await beat(served, "127.0.0.1")
    assert not served.requests


async def test_it_is_refused_under_another_name(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    async with serving(answer(), tls=a_context(certificate)) as served:
        with pytest.raises(TransientError, match="Hostname mismatch"):
            await beat(served, "localhost")
    assert not served.requests


async def test_a_handshake_that_is_not_answered_ends_with_the_timeout_of_connecting() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        ended.set()
        writer.close()

    ended = asyncio.Event()
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = Endpoint("127.0.0.1", port, "/", ssl.create_default_context())
        async with a_client(endpoint, Timeouts(connect=0.05, poll=60, report=60)) as client, asyncio.timeout(30):
            with pytest.raises(TransientError, match=f"TimeoutError: 127.0.0.1:{port}"):
                await client.send_task_heartbeat("token")
            await ended.wait()  # the connection is not left behind


async def test_a_request_that_is_cancelled_in_the_handshake_leaves_no_connection() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.set()
        await reader.read()
        ended.set()
        writer.close()

    greeted, ended = asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = Endpoint("127.0.0.1", port, "/", ssl.create_default_context())
        async with a_client(endpoint, Timeouts()) as client, asyncio.timeout(30):
            beat = asyncio.create_task(client.send_task_heartbeat("token"))
            await greeted.wait()
            beat.cancel()
            with pytest.raises(asyncio.CancelledError):
                await beat
            await ended.wait()
