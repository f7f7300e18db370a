"""A gigabyte through a real `workers run` process, which never holds more than a little of it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.account import Account, task, unique
from tests.processes import workers
from workers.local import LocalStepFunctions
from workers.payloads import Claim
from workers.payloads.claim import Encoding

GIB = 1 << 30
S3_STUB = Path(__file__).parents[2] / "benchmarks" / "s3_stub.py"
HANDLERS = """
from workers import Registry
from workers.payloads import PayloadStream

registry = Registry()


@registry.activity("{name}")
async def invert(video: PayloadStream) -> dict[str, PayloadStream]:
    table = bytes(255 - number for number in range(256))

    async def inverted():
        async for piece in video:
            yield piece.translate(table)

    return {{"video": PayloadStream(inverted())}}
"""


@pytest.fixture
def s3_url() -> Iterator[str]:
    """An S3 that has a gigabyte of zeros, and only counts what is written to it."""
    command = [sys.executable, str(S3_STUB)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def memory_mb(pid: int, line: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(one.split()[1]) / 1024 for one in status if one.startswith(line))


def sha256_of(byte: bytes) -> str:
    digest = hashlib.sha256()
    for _ in range(1024):
        digest.update(byte * (1 << 20))
    return digest.hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_gibibyte_takes_at_most_100_mb_more(
    account: Account, engine: LocalStepFunctions, s3_url: str, tmp_path: Path
):
    name, store = unique("invert"), f"s3://bucket/zeros-{GIB}"
    uri = f"{store}/2026-01-02/stream-{'0' * 32}"
    claim = Claim(uri=uri, size=GIB, sha256=sha256_of(b"\0"), encoding=Encoding.BYTES)
    (tmp_path / "handlers.py").write_text(HANDLERS.format(name=name))
    environment = {**engine.environment(), "AWS_ENDPOINT_URL_S3": s3_url, "PYTHONPATH": str(tmp_path)}
    arguments = ("run", "handlers:registry", "--payloads", store, "--log-format", "json")
    async with workers(*arguments, environment=environment) as process:
        await process.says("worker started")
        idle = memory_mb(process.pid, "VmRSS")
        output = await account.output(task(name), {"video": claim.to_json()})
        peak = memory_mb(process.pid, "VmHWM")
    assert output["video"]["bytes"] == GIB
    assert output["video"]["sha256"] == sha256_of(b"\xff")
    assert json.dumps(output).count("stream-") == 1
    assert peak - idle < 100, f"{idle:.0f} MB idle, {peak:.0f} MB at its peak"
