"""`workers payloads show` and `workers payloads sweep`."""

import json
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pexpect
import pytest
from click.testing import CliRunner, Result

from tests.payloads.conftest import BUCKET
from tests.processes import WORKERS
from workers.cli.payloads import payloads as group
from workers.errors import UsageError, WorkersError
from workers.payloads import Payloads, PayloadStream
from workers.payloads.errors import PayloadCorruptError, PayloadMalformedError, PayloadMissingError


def workers_payloads(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(group, arguments, input=stdin, standalone_mode=False)


def offloaded(url: str, document: object, **options: object) -> dict:
    async def offload() -> dict:
        async with Payloads(url, **options) as store:
            return await store.offload(document, always=True)

    return anyio.run(offload)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/store"


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_show_prints_a_document_by_its_uri_and_by_its_claim(url: str, compression):
    claim = offloaded(url, {"ü": [1]}, compression=compression)
    for result in (
        workers_payloads("show", claim["uri"]),
        workers_payloads("show", json.dumps(claim)),
        workers_payloads("show", "-", stdin=json.dumps(claim)),
    ):
        assert result.exception is None
        assert result.output == '{\n  "ü": [\n    1\n  ]\n}\n'


def test_show_writes_a_stream_as_it_is(url: str, tmp_path: Path):
    async def offload() -> dict:
        async with Payloads(url) as store:
            return await store.offload(PayloadStream(b"\x00\xff" * 100_000))

    claim = anyio.run(offload)
    for target in (claim["uri"], json.dumps(claim)):
        result = workers_payloads("show", target, "--output", str(tmp_path / "out"))
        assert result.exception is None
        assert (tmp_path / "out").read_bytes() == b"\x00\xff" * 100_000


def test_show_prints_what_is_on_s3(s3_endpoint: str, s3_options: dict, monkeypatch: pytest.MonkeyPatch):
    for name, value in (("ENDPOINT_URL", s3_endpoint), ("ACCESS_KEY_ID", "t"), ("SECRET_ACCESS_KEY", "t")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    claim = offloaded(f"s3://{BUCKET}/show", [1])
    assert workers_payloads("show", claim["uri"]).output == "[\n  1\n]\n"


def test_the_variables_say_where_the_embedded_engine_is_as_for_every_command(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("WORKERS_LOCAL", "true")
        monkeypatch.setenv("WORKERS_LOCAL_PORT", port)
        uri = f"s3://{BUCKET}/x/2026-01-02/{'a' * 64}"
        for command in (("sweep", f"s3://{BUCKET}/x", "--older-than", "30d"), ("show", uri)):
            result = workers_payloads(*command)
            assert isinstance(result.exception, UsageError)
            assert f"start `workers local --port {port}` first" in str(result.exception)


def changed(claim: dict, data: bytes) -> str:
    Path(claim["uri"].removeprefix("file://")).write_bytes(data)
    return claim["uri"]


def test_show_says_what_is_wrong(url: str):
    claim = offloaded(url, [1])
    for target, error, said in (
        ("https://x/y", UsageError, "neither a claim nor the URI of a payload"),
        (url, UsageError, "neither a claim nor"),
        ("{", UsageError, "the claim is not JSON"),
        ("{}", UsageError, "the JSON object is no claim: it has no 'workers:claim'"),
        ('{"workers:claim": 2}', PayloadMalformedError, "a claim of version 2"),
        (f"{url}/2026-01-02/{'a' * 64}", PayloadMissingError, "not there"),
        (changed(claim, b"[2]"), PayloadCorruptError, "its hash differs from its name"),
        (json.dumps(claim), PayloadCorruptError, "length or hash differ"),
    ):
        result = workers_payloads("show", target)
        assert isinstance(result.exception, error)
        assert isinstance(result.exception, WorkersError)
        assert said in str(result.exception)


def aged(claim: dict, days: float) -> Path:
    path = Path(claim["uri"].removeprefix("file://"))
    then = datetime.now(UTC) - timedelta(days=days)
    moved = path.parent.parent / then.date().isoformat() / path.name
    moved.parent.mkdir(exist_ok=True)
    path.rename(moved)
    os.utime(moved, (then.timestamp(), then.timestamp()))
    return moved


def test_sweep_removes_what_is_old(url: str):
    old, young = aged(offloaded(url, [1]), 40), aged(offloaded(url, [2]), 20)
    result = workers_payloads("sweep", url, "--older-than", "30d", "--dry-run")
    assert result.output == "would remove 1 payload, 3 bytes\n"
    assert old.exists()
    result = workers_payloads("sweep", url, "--older-than", "4w")
    assert result.output == "removed 1 payload, 3 bytes\n"
    assert not old.exists()
    assert young.exists()


def test_sweep_shows_a_bar_on_a_terminal(url: str):
    old, young = aged(offloaded(url, [1]), 40), aged(offloaded(url, [2]), 40)
    os.utime(young)  # copied there later
    command = [*WORKERS, "payloads", "sweep", url, "--older-than", "30d"]
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with pexpect.spawn(
        sys.executable, command, env=environment, encoding="utf-8", timeout=30, dimensions=(24, 100)
    ) as terminal:
        terminal.expect("━.*listing")
        terminal.expect("━.*2 seen, 1 removed")
        terminal.expect("removed 1 payload, 3 bytes\r\n")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1.5d", "30 days", "23h", "0d"])
def test_sweep_refuses_ages_that_are_none_or_too_small(url: str, age: str):
    result = workers_payloads("sweep", url, "--older-than", age)
    assert isinstance(result.exception, UsageError)


def test_help_teaches():
    assert "14 days in which that can be" in workers_payloads("sweep", "--help").output
    assert "from a claim" in workers_payloads("show", "--help").output
