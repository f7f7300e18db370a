"""For any JSON document and any budget: what was offloaded comes back, and fits whenever claims can make it fit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workers.payloads import Payloads
from workers.payloads.claim import CLAIM_KEY, Claim
from workers.payloads.document import encode

SHA = "0123456789abcdef" * 4
STORE = "memory://round-trip"

claim_like = st.fixed_dictionaries(
    {CLAIM_KEY: st.sampled_from([1, 2, None, "escaped", True])},
    optional={
        "uri": st.sampled_from([f"{STORE}/2026-01-02/{SHA}", "memory://other/2026-01-02/x", "file:///etc/passwd", 3]),
        "bytes": st.integers(0, 10**11),
        "sha256": st.just(SHA),
        "encoding": st.sampled_from(["json", "bytes"]),
        "object": st.dictionaries(st.sampled_from(["a", CLAIM_KEY, "object"]), st.integers(), max_size=3),
        "more": st.text(max_size=400),
    },
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=600)
)
keys = st.text(max_size=8) | st.sampled_from([CLAIM_KEY, "object", "uri"])
documents = st.recursive(
    scalars | claim_like,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(keys, inner, max_size=8),
    max_leaves=40,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents, budget=st.integers(0, 6_000), always=st.booleans())
async def test_reload_of_offload_is_the_document(document, budget, always):
    async with Payloads(STORE) as payloads:
        small = await payloads.offload(document, budget=budget, always=always)
        assert await payloads.reload(small) == document
        if always:
            return
        if CLAIM_KEY not in str(document):
            largest_claim = Claim(uri=f"{payloads.url}/2026-01-02/{SHA}", size=len(encode(document)), sha256=SHA)
            assert len(encode(small)) <= max(budget, min(len(encode(document)), len(encode(largest_claim))))
        elif budget > 300:  # the longest claim on what these documents can be
            assert len(encode(small)) <= budget


@settings(max_examples=40)
@given(document=documents, keep=st.sampled_from([["$.*"], ["$[0]"], ["$.*.*"], ["$[*][*]"], ["$.uri"]]))
async def test_kept_values_stand_as_they_were(document, keep):
    async with Payloads(STORE) as payloads:
        small = await payloads.offload(document, keep=keep, budget=0)
        assert await payloads.reload(small) == document
        if keep == ["$.*"] and isinstance(document, dict) and CLAIM_KEY not in str(document):
            assert small == document or not document


@settings(max_examples=40)
@given(document=documents, keys=st.sampled_from(["all", ["$.*"], ["$[*]"], ["a", "$.object"], ["$.*.*", "$.uri"]]))
async def test_named_values_come_back_too(document, keys):
    async with Payloads(STORE) as payloads:
        assert await payloads.reload(await payloads.offload(document, keys=keys, always=True)) == document


@settings(max_examples=30)
@given(document=documents)
async def test_offloading_twice_and_reloading_twice_is_the_document_too(document):
    async with Payloads(STORE) as payloads:
        once = await payloads.offload(document, budget=500)
        twice = await payloads.offload(once, budget=300)
        assert await payloads.reload(await payloads.reload(twice)) == document


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
async def test_each_kind_of_store_and_compression(store_arguments, compression):
    document = {"text": "wörds " * 30_000, "rows": [{"id": number} for number in range(20_000)], "id": 7}
    async with Payloads(**store_arguments, compression=compression) as payloads:
        small = await payloads.offload(document)
        assert small["id"] == 7
        assert len(encode(small)) < 1_000
        assert await payloads.reload(small) == document
        stored = small["rows"]["bytes"]
        assert stored < 100_000 if compression else stored > 200_000
    async with Payloads(**store_arguments) as reader:  # the claim says how it is packed
        assert await reader.reload(small) == document
