"""What payloads cost: CPU of a put and a get, time to reload many claims, memory of a large stream.

    python benchmarks/payloads.py [--rounds N] [--json]

Client and S3 stand-in have a core each, where there are two. Every number is a ratio against a baseline measured in
the same run, round by round in turn; absolute times depend on the machine.
"""

import argparse
import asyncio
import gc
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiobotocore.session import get_session
from anyio import CapacityLimiter
from harness import show
from s3fs import S3FileSystem

from workers.payloads import Claim, Payloads, PayloadStream
from workers.payloads.claim import Encoding
from workers.payloads.limits import Limits
from workers.payloads.offload import Offload
from workers.payloads.reload import Reload

SIZE = 300 * 1024
AT_ONCE = 16
OPERATIONS = 160
GIB = 1 << 30
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}

Operation = Callable[[int], Awaitable[Any]]
Row = dict[str, Any]


@contextmanager
def s3_stub(milliseconds: float = 0.0) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).parent / "s3_stub.py"), str(milliseconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda: pin(1)) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def options(url: str) -> dict[str, Any]:
    return {"endpoint_url": url, "key": "x", "secret": "y", "client_kwargs": {"region_name": "us-east-1"}}


async def cpu_of(operation: Operation) -> float:
    """CPU milliseconds of this process for each of OPERATIONS operations, AT_ONCE side by side."""
    numbers = iter(range(OPERATIONS))

    async def loop() -> None:
        for number in numbers:
            await operation(number)

    gc.collect()
    before = time.process_time()
    await asyncio.gather(*(loop() for _ in range(AT_ONCE)))
    return (time.process_time() - before) * 1000 / OPERATIONS


async def compare(contestants: dict[str, Operation], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds an operation for each contestant, measured in turn."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, operation in contestants.items():
            found[name].append(await cpu_of(operation))
    return {name: statistics.median(times[1:]) for name, times in found.items()}


async def puts_and_gets(rounds: int) -> list[Row]:
    """At most 1.25 times plain aiobotocore is wanted. s3fs's own get sends a HEAD first, unless told otherwise."""
    rows = []
    values = [os.urandom(SIZE) for _ in range(OPERATIONS)]
    with s3_stub() as url:
        files = S3FileSystem(asynchronous=True, skip_instance_cache=True, **options(url))
        plain_client = get_session().create_client("s3", endpoint_url=url, region_name="us-east-1", **KEYS)
        async with plain_client as plain, Payloads("s3://bucket/prefix", options=options(url)) as payloads:
            client = await files.set_session()
            pipe_file, cat_file = files._pipe_file, files._cat_file  # noqa: SLF001 - what fsspec calls its async methods
            ours = Offload(payloads.store, Encoding.JSON, Limits(), CapacityLimiter(32))
            back = Reload([payloads.store], Limits(), CapacityLimiter(32))
            claims = [await ours.put(value) for value in values]
            keys = [claim.uri.removeprefix("s3://bucket/") for claim in claims]

            async def plain_get(number: int) -> None:
                answer = await plain.get_object(Bucket="bucket", Key=keys[number])
                async with answer["Body"] as body:
                    assert len(await body.read()) == SIZE

            async def our_get(number: int) -> None:
                assert len(await back.get(claims[number])) == SIZE

            put = {
                "plain aiobotocore": lambda n: plain.put_object(Bucket="bucket", Key=f"plain/{n}", Body=values[n]),
                "payloads": lambda n: ours.put(values[n]),
                "s3fs": lambda n: pipe_file(f"bucket/s3fs/{n}", values[n]),
            }
            get = {
                "plain aiobotocore": plain_get,
                "payloads": our_get,
                "s3fs": lambda n: cat_file(f"bucket/{keys[n]}"),
                "s3fs, max_concurrency=1": lambda n: cat_file(f"bucket/{keys[n]}", max_concurrency=1),
            }
            for what, contestants in (("put", put), ("get", get)):
                times = await compare(contestants, rounds)
                rows += [
                    {
                        "what": f"{what} of 300 KB, {AT_ONCE} at once: {name}",
                        "shown": f"{found:.3f} ms of CPU, {found / times['plain aiobotocore']:.2f} times plain",
                    }
                    for name, found in times.items()
                ]
            await client.close()
    return rows


async def many_claims(rounds: int) -> list[Row]:
    with s3_stub(20) as url:
        async with Payloads("s3://bucket/prefix", options=options(url)) as payloads:
            document = {f"key {n}": "x" * (2_000_000 if n == 7 else 20_000 * n + 1_000) for n in range(20)}
            small = await payloads.offload(document, keys="all", always=True)
            one, all_ = [], []
            for _ in range(rounds + 1):
                for found, part in ((one, {"key 7": small["key 7"]}), (all_, small)):
                    started = time.perf_counter()
                    await payloads.reload(part)
                    found.append((time.perf_counter() - started) * 1000)
            largest, whole = statistics.median(one[1:]), statistics.median(all_[1:])
    bound = f"at most {1.5 * largest + 50:.0f} is wanted, 1.5 times the largest and 50"
    shown = f"{largest:.0f} ms, with 19 others {whole:.0f} ms; {bound}"
    return [{"what": "reload at 20 ms a request: the largest claim alone", "shown": shown}]


async def one_gib() -> list[Row]:
    digest = hashlib.sha256()
    for _ in range(1024):
        digest.update(bytes(1 << 20))
    with s3_stub() as url:
        async with Payloads(f"s3://bucket/zeros-{GIB}", options=options(url)) as payloads:
            uri = f"{payloads.url}/2026-01-02/stream-{'0' * 32}"
            claim = Claim(uri=uri, size=GIB, sha256=digest.hexdigest(), encoding=Encoding.BYTES)
            await payloads.reload(await payloads.offload([1], always=True))
            idle = resident_mb()
            peak_before = peak_mb()
            started = time.perf_counter()
            stream = await payloads.reload(claim.to_json())

            async def changed() -> Any:
                async for piece in stream:
                    yield piece.translate(None)

            copied = await payloads.offload({"copy": PayloadStream(changed())})
            seconds = time.perf_counter() - started
            assert copied["copy"]["bytes"] == GIB
    above = max(peak_mb() - max(idle, peak_before), peak_mb() - idle)
    shown = f"{above:.0f} MB above {idle:.0f} MB idle, where 100 are allowed; {1024 / seconds:.0f} MiB/s"
    return [{"what": "1 GiB through a stream, in and out", "shown": shown}]


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    pin(0)
    rows = asyncio.run(one_gib())  # first: it looks at the peak of memory
    rows += asyncio.run(puts_and_gets(given.rounds))
    rows += asyncio.run(many_claims(given.rounds))
    show(rows, as_json=given.json)


if __name__ == "__main__":
    main()
