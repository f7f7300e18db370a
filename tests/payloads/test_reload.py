"""Claims in a document become values again, and only claims that may."""

import copy
import hashlib
from pathlib import Path

import anyio
import pytest

from interceptors import Payload
from workers.payloads import Payloads, PayloadStream
from workers.payloads.claim import CLAIM_KEY
from workers.payloads.document import encode
from workers.payloads.errors import (
    PayloadCorruptError,
    PayloadError,
    PayloadForbiddenError,
    PayloadMalformedError,
    PayloadMissingError,
    PayloadNestedError,
    PayloadTooLargeError,
)


async def claim_on(payloads: Payloads, value) -> dict:
    return await payloads.offload(value, always=True)


async def planted(payloads: Payloads, data: bytes) -> dict:
    """A claim on an object with just these bytes."""
    digest = hashlib.sha256(data)
    key = f"2026-01-02/{digest.hexdigest()}"
    await payloads.store.put(key, data, digest.digest())
    return {
        CLAIM_KEY: 1,
        "uri": f"{payloads.url}/{key}",
        "bytes": len(data),
        "sha256": digest.hexdigest(),
        "encoding": "json",
    }


@pytest.fixture
def reads(payloads: Payloads, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are read from the store."""
    keys: list[str] = []
    read = payloads.store.get

    async def get(key: str, limit: int) -> bytes:
        keys.append(key)
        return await read(key, limit)

    monkeypatch.setattr(payloads.store, "get", get)
    return keys


@pytest.mark.parametrize("document", [None, 3, "text", [], {}, {"foo": None}, {"foo": "bar", "list": [{"a": 1}]}])
async def test_stepwise_cases_11_24_25_without_claims_nothing_changes(payloads: Payloads, document):
    assert await payloads.reload(document) is document


async def test_stepwise_case_12_one_of_two_keys_is_a_claim(payloads: Payloads):
    document = {"foo": 3, "bar": await claim_on(payloads, ["soap"])}
    before = copy.deepcopy(document)
    assert await payloads.reload(document) == {"foo": 3, "bar": ["soap"]}
    assert document == before, "the document given is not changed"


async def test_stepwise_case_13_all_keys_are_claims(payloads: Payloads):
    small = await payloads.offload({"foo": 3, "bar": "soap"}, keys="all", always=True)
    assert await payloads.reload(small) == {"foo": 3, "bar": "soap"}


async def test_stepwise_cases_24_and_26_two_equal_claims_are_read_once(payloads: Payloads, reads: list[str]):
    claim = await claim_on(payloads, {"rows": [1, 2]})
    loaded = await payloads.reload({"a": claim, "b": [claim, {"c": claim}]})
    assert loaded == {"a": {"rows": [1, 2]}, "b": [{"rows": [1, 2]}, {"c": {"rows": [1, 2]}}]}
    assert len(reads) == 1
    loaded["a"]["rows"].append(3)
    assert loaded["b"][0] == {"rows": [1, 2]}, "each place has a value of its own"


async def test_bug_4_1_9_several_claims_of_different_objects(payloads: Payloads, reads: list[str]):
    """Stepwise's case 26 fails a task here; merging outputs of different activities is ordinary work."""
    document = {"mine": await claim_on(payloads, "one"), "theirs": {"deep": [await claim_on(payloads, {"two": 2})]}}
    assert await payloads.reload(document) == {"mine": "one", "theirs": {"deep": [{"two": 2}]}}
    assert len(reads) == 2


async def test_bug_4_1_9_a_claim_under_a_result_path(payloads: Payloads):
    document = {"order": {"id": 7, "result": {"details": await claim_on(payloads, [1, 2])}}}
    assert await payloads.reload(document) == {"order": {"id": 7, "result": {"details": [1, 2]}}}


async def test_bug_4_1_9_a_claim_renamed_by_parameters_and_dropped_keys(payloads: Payloads):
    output = await payloads.offload({"rows": ["r"], "scan": ["s"], "id": 7}, keys=["rows", "scan"], always=True)
    parameters = {"lines": output["rows"], "number": output["id"]}
    assert await payloads.reload(parameters) == {"lines": ["r"], "number": 7}


async def test_bug_4_1_10_keys_with_slashes_dots_and_colons_come_back_as_they_were(payloads: Payloads):
    document = {"ns/key": [1], "a.b": {"c:d": 2}, "": {" ": 3}}
    small = await payloads.offload(document, keys="all", always=True)
    assert small.keys() == document.keys()
    assert await payloads.reload(small) == document


async def test_claims_inside_the_items_of_a_map(payloads: Payloads):
    items = [{"id": number, "body": await claim_on(payloads, {"n": number})} for number in range(5)]
    assert await payloads.reload(items) == [{"id": number, "body": {"n": number}} for number in range(5)]
    assert await payloads.reload(items[3]) == {"id": 3, "body": {"n": 3}}


async def test_claims_of_another_worker_on_the_same_store(payloads: Payloads):
    async with Payloads(f"{payloads.url}/team-a") as other:
        claim = await claim_on(other, "theirs")
    assert await payloads.reload([claim]) == ["theirs"]


async def test_several_stores_may_be_read(payloads: Payloads):
    async with Payloads("memory://elsewhere/a") as other:
        claim = await claim_on(other, "far")
    with pytest.raises(PayloadForbiddenError):
        await payloads.reload(claim)
    async with Payloads(payloads.url, read_from=["memory://elsewhere/a"]) as reader:
        assert await reader.reload([claim, await claim_on(reader, "near")]) == ["far", "near"]


async def test_what_a_result_path_adds_to_a_whole_document_is_added_to_its_value(payloads: Payloads):
    output = await claim_on(payloads, {"a": 1, "b": 2})
    later = {**output, "b": 3, "c": await claim_on(payloads, [4])}
    assert await payloads.reload(later) == {"a": 1, "b": 3, "c": [4]}


@pytest.mark.parametrize("name", ["uri", "bytes", "sha256", "encoding"])
async def test_a_result_path_with_the_name_of_a_claims_own_key_makes_it_malformed(payloads: Payloads, name: str):
    output = await claim_on(payloads, {"a": 1})
    with pytest.raises(PayloadMalformedError):
        await payloads.reload({**output, name: {"made": 2}})


async def test_nothing_can_be_added_to_a_list(payloads: Payloads):
    output = await claim_on(payloads, [1])
    with pytest.raises(PayloadMalformedError, match="was given extra, but stands for list"):
        await payloads.reload({**output, "extra": 1})


async def test_a_claim_inside_a_claim_is_not_followed(payloads: Payloads, reads: list[str]):
    inner = await claim_on(payloads, "inner")
    outer = await planted(payloads, encode({"x": [inner]}))
    with pytest.raises(PayloadNestedError, match="not followed") as refused:
        await payloads.reload({"outer": outer})
    assert refused.value.error_name == "Worker.PayloadNested"
    assert len(reads) == 1


async def test_a_missing_object_is_said(payloads: Payloads):
    claim = await claim_on(payloads, "x")
    await payloads.store.delete([claim["uri"].removeprefix(f"{payloads.url}/")])
    with pytest.raises(PayloadMissingError, match="not there") as missing:
        await payloads.reload(claim)
    assert missing.value.error_name == "Worker.PayloadMissing"


@pytest.mark.parametrize("data", [b"[1,2,4]", b"[1,2]", b"[1,2,3,4]", b""])
async def test_an_object_that_is_not_what_was_offloaded_is_corrupt(payloads: Payloads, data):
    claim = await claim_on(payloads, [1, 2, 3])
    await payloads.store.put(claim["uri"].removeprefix(f"{payloads.url}/"), data, b"")
    with pytest.raises(PayloadCorruptError, match="not what was offloaded") as corrupt:
        await payloads.reload(claim)
    assert corrupt.value.error_name == "Worker.PayloadCorrupt"


@pytest.mark.parametrize("data", [b"not json", b"\xff\xfe", b"[" * 100_000, b"{"])
async def test_an_object_that_is_no_json_is_corrupt(payloads: Payloads, data):
    with pytest.raises(PayloadCorruptError, match="is not JSON"):
        await payloads.reload(await planted(payloads, data))


@pytest.mark.parametrize(
    "crafted",
    [
        {CLAIM_KEY: 1},
        {CLAIM_KEY: 9, "uri": "x"},
        {"deep": [{CLAIM_KEY: 1, "uri": 3}]},
        {CLAIM_KEY: {CLAIM_KEY: 1}},
        {CLAIM_KEY: "escaped", "object": "text"},
        {CLAIM_KEY: "escaped"},
    ],
)
async def test_malformed_claims_are_refused_by_name(payloads: Payloads, crafted):
    with pytest.raises(PayloadMalformedError) as refused:
        await payloads.reload(crafted)
    assert refused.value.error_name == "Worker.PayloadMalformed"


# What an attacker may write into an input. Nothing of it may be read.

SHA = "a" * 64
CRAFTED_URIS = {
    "another bucket": f"memory://other/2026-01-02/{SHA}",
    "another scheme": f"s3://{{name}}/2026-01-02/{SHA}",
    "a file of the machine": "file:///etc/passwd",
    "a bare path": f"/{{name}}/2026-01-02/{SHA}",
    "up and out": f"memory://{{name}}/../other/2026-01-02/{SHA}",
    "up and back": f"memory://{{name}}/x/../2026-01-02/{SHA}",
    "here": f"memory://{{name}}/./2026-01-02/{SHA}",
    "encoded dots": f"memory://{{name}}/%2e%2e/other/2026-01-02/{SHA}",
    "backslashes": f"memory://{{name}}\\..\\other/2026-01-02/{SHA}",
    "a look-alike prefix": f"memory://{{name}}-evil/2026-01-02/{SHA}",
    "a look-alike host": f"memory://{{name}}.evil/2026-01-02/{SHA}",
    "the store itself": "memory://{name}",
    "a folder": "memory://{name}/2026-01-02/",
    "no payload": "memory://{name}/secrets.json",
    "no payload in a day": "memory://{name}/2026-01-02/secrets.json",
    "a note of progress": f"memory://{{name}}/progress/{SHA}",
    "a doubled slash": f"memory://{{name}}//2026-01-02/{SHA}",
    "upper case": f"MEMORY://{{name}}/2026-01-02/{SHA}",
    "a query": f"memory://{{name}}/2026-01-02/{SHA}?versionId=1",
    "a fragment": f"memory://{{name}}/2026-01-02/{SHA}#x",
    "a new line": f"memory://{{name}}/2026-01-02/{SHA}\n",
    "a null byte": f"memory://{{name}}/\0/2026-01-02/{SHA}",
    "a chain": f"simplecache::memory://{{name}}/2026-01-02/{SHA}",
    "a glob": "memory://{name}/2026-01-02/*",
    "other digits": f"memory://{{name}}/\N{FULLWIDTH DIGIT TWO}026-01-02/{SHA}",
    "empty": " ",
}


@pytest.mark.parametrize("uri", CRAFTED_URIS.values(), ids=CRAFTED_URIS)
@pytest.mark.parametrize("encoding", ["json", "bytes"])
async def test_only_payloads_below_the_store_are_read(payloads: Payloads, reads: list[str], uri, encoding):
    name = payloads.url.removeprefix("memory://")
    good = await claim_on(payloads, "good")
    crafted = {CLAIM_KEY: 1, "uri": uri.format(name=name), "bytes": 5, "sha256": SHA, "encoding": encoding}
    with pytest.raises(PayloadForbiddenError, match="no payload below memory://") as refused:
        await payloads.reload({"good": good, "evil": [crafted]})
    assert refused.value.error_name == "Worker.PayloadForbidden"
    assert reads == [], "not even the good one"


async def test_a_claim_must_name_the_hash_of_its_key(payloads: Payloads, reads: list[str]):
    good = await claim_on(payloads, "good")
    with pytest.raises(PayloadMalformedError, match="another hash than its uri"):
        await payloads.reload({**good, "sha256": SHA})
    assert reads == []


async def test_a_link_in_a_folder_does_not_lead_out_of_it(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_bytes(b'"secret"')
    sha256 = hashlib.sha256(b'"secret"').hexdigest()
    (tmp_path / "store" / "2026-01-02").mkdir(parents=True)
    (tmp_path / "store" / "2026-01-02" / sha256).symlink_to(secret)
    uri = f"file://{tmp_path}/store/2026-01-02/{sha256}"
    async with Payloads(f"file://{tmp_path}/store") as payloads:
        with pytest.raises(PayloadForbiddenError, match="leads out of the store through a link"):
            await payloads.reload({CLAIM_KEY: 1, "uri": uri, "bytes": 8, "sha256": sha256, "encoding": "json"})


@pytest.mark.parametrize(("encoding", "cap"), [("json", "max_object"), ("bytes", "max_stream")])
async def test_a_claim_on_ten_gigabytes_is_refused_and_nothing_read(payloads: Payloads, reads, encoding, cap):
    uri = f"{payloads.url}/2026-01-02/{SHA}" if encoding == "json" else f"{payloads.url}/2026-01-02/stream-{'0' * 32}"
    crafted = {CLAIM_KEY: 1, "uri": uri, "bytes": 10**10, "sha256": SHA, "encoding": encoding}
    with pytest.raises(PayloadTooLargeError, match=rf"10,000,000,000 bytes, over {cap}") as refused:
        await payloads.reload(crafted)
    assert refused.value.error_name == "Worker.PayloadTooLarge"
    assert reads == []


@pytest.mark.parametrize("made", [Payloads, lambda url: Payload(url).payloads], ids=["Payloads", "Payload"])
async def test_the_caps_are_64_and_256_mib_and_5_gib_where_nothing_else_is_said(made):
    def claimed(size: int, encoding: str = "json") -> dict:
        name = SHA if encoding == "json" else f"stream-{'0' * 32}"
        uri = f"memory://caps/2026-01-02/{name}"
        return {CLAIM_KEY: 1, "uri": uri, "bytes": size, "sha256": SHA, "encoding": encoding}

    mib, gib = 1024**2, 1024**3
    async with made("memory://caps") as payloads:
        for over, said in (
            (claimed(64 * mib + 1), "over max_object, 67,108,864"),
            ([claimed(64 * mib)] * 4 + [claimed(1)], "over max_document, 268,435,456"),
            (claimed(5 * gib + 1, "bytes"), "over max_stream, 5,368,709,120"),
        ):
            with pytest.raises(PayloadTooLargeError, match=said):
                await payloads.reload(over)
        with pytest.raises(PayloadMissingError):  # as much as may be is looked for
            await payloads.reload([claimed(64 * mib)] * 4)
        assert isinstance(await payloads.reload(claimed(5 * gib, "bytes")), PayloadStream)


async def test_the_cap_of_a_document_counts_each_place(payloads: Payloads, reads: list[str]):
    claim = await claim_on(payloads, "x" * 100_000)
    async with Payloads(payloads.url, max_document=1_000_000) as capped:
        with pytest.raises(PayloadTooLargeError, match="over max_document, 1,000,000"):
            await capped.reload([claim] * 10)
        assert len(await capped.reload([claim] * 9)) == 9


async def test_what_unpacks_to_more_than_the_cap_is_refused():
    async with Payloads("memory://bomb", compression="gzip", max_object=10_000_000) as packed:
        claim = await claim_on(packed, "x" * 5_000_000)
        assert claim["bytes"] < 20_000
    async with Payloads("memory://bomb", max_object=1_000_000) as reader:
        with pytest.raises(PayloadTooLargeError, match="unpacks to more than 1,000,000"):
            await reader.reload(claim)
    async with Payloads("memory://bomb", max_document=12_000_000) as reader:
        with pytest.raises(PayloadTooLargeError, match="unpack to more than max_document"):
            await reader.reload([claim, claim, claim])


async def test_loads_run_side_by_side(payloads: Payloads, monkeypatch: pytest.MonkeyPatch):
    claims = [await claim_on(payloads, f"value {number}") for number in range(20)]
    read, inside, all_inside = payloads.store.get, 0, anyio.Event()

    async def get(key: str, limit: int) -> bytes:
        nonlocal inside
        inside += 1
        if inside == 20:
            all_inside.set()
        with anyio.fail_after(10):
            await all_inside.wait()
        return await read(key, limit)

    monkeypatch.setattr(payloads.store, "get", get)
    assert await payloads.reload(claims) == [f"value {number}" for number in range(20)]


async def test_the_first_error_is_raised_as_it_is_and_the_others_are_cancelled(payloads: Payloads, monkeypatch):
    claims = [await claim_on(payloads, number) for number in range(3)]
    cancelled = []

    async def get(key: str, limit: int) -> bytes:
        if key == claims[1]["uri"].removeprefix(f"{payloads.url}/"):
            raise PayloadMissingError("gone")
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(key)

    monkeypatch.setattr(payloads.store, "get", get)
    with pytest.raises(PayloadMissingError, match="gone"):
        await payloads.reload(claims)
    assert len(cancelled) == 2


async def test_a_claim_on_a_stream_becomes_a_stream_wherever_it_stands(payloads: Payloads):
    small = await payloads.offload({"video": PayloadStream(b"bytes"), "n": 1})
    loaded = await payloads.reload({"other": [small]})
    stream = loaded["other"][0]["video"]
    assert isinstance(stream, PayloadStream)
    assert await stream.read() == b"bytes"


def test_every_error_has_a_name_of_its_own():
    kinds = PayloadError.__subclasses__()
    names = [kind.error_name for kind in kinds]
    assert len(set(names)) == len(names)
    assert all(name.startswith("Worker.") for name in names)
